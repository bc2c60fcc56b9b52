#!/usr/bin/env bash
# clang-tidy-19 over the sources that differ from the last commit, or over all of them.
#
#   scripts/tidy.sh [<configured build directory>] [--all]
#
# Exit status 1 when something was found. The settings are in .clang-tidy.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/dev
all=no
for argument in "$@"; do
  case "$argument" in
    --all) all=yes ;;
    *) build=$argument ;;
  esac
done
if [[ ! -f $build/compile_commands.json ]]; then
  echo "tidy.sh: $build/compile_commands.json is missing; configure first: cmake --preset dev" >&2
  exit 2
fi

sources=('micro/**.cpp' 'testkit/**.cpp' 'tools/**.cpp' 'examples/**.cpp' 'plugins/**.cpp')
if [[ $all == yes ]]; then
  files=$(git ls-files -co --exclude-standard -- "${sources[@]}")
else
  files=$({ git diff --name-only --diff-filter=d HEAD -- "${sources[@]}"
            git ls-files -o --exclude-standard -- "${sources[@]}"; } | sort -u)
fi
if [[ -z $files ]]; then
  echo "tidy.sh: no source differs from the last commit (--all checks every one)"
  exit 0
fi

# Generated headers and the precompiled header of the tests must be there before anything can be parsed.
cmake --build "$build" --target micro_test_pch
generated=$(ninja -C "$build" -t targets all | sed -nE 's/^([^:]*\.pb\.h): CUSTOM_COMMAND.*/\1/p' | sort -u)
[[ -z $generated ]] || xargs ninja -C "$build" <<<"$generated"

echo "tidy.sh: checking $(wc -l <<<"$files") sources"
# run-clang-tidy takes regular expressions of absolute paths; a path with its dots quoted is one.
sed "s|^|^$PWD/|; s|[.+]|\\\\&|g; s|\$|\$|" <<<"$files" | xargs run-clang-tidy-19 -quiet -p "$build" -j "$(nproc)"
