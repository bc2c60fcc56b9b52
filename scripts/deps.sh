#!/usr/bin/env bash
# Installs the Debian packages that are missing for the named groups, and nothing else.
#
#   scripts/deps.sh [--list] [build|demo|test|bench|dev|zookeeper]...      (no group: build)
#
# A second run costs one dpkg query. The package lists are refreshed only when a package cannot be found without that. Nothing is
# ever removed: where a package conflicts with one that is installed, the run ends and says so.
#
# Exit status: 0 all there; 2 wrong usage; 3 packages are missing and could not be installed (their names are printed).
# MICRO_DEPS=skip leaves the machine alone and trusts that all is there (for other distributions).
set -euo pipefail
export LC_ALL=C

# What CMakeLists.txt asks for; docs/reference/dependencies.md says what each one is for.
build=(clang-19 lld-19 cmake ninja-build ccache make pkg-config protobuf-compiler libprotobuf-dev libprotoc-dev libnghttp2-dev
  zlib1g-dev libssl-dev libspdlog-dev libfmt-dev libcli11-dev nlohmann-json3-dev libc-ares-dev libzookeeper-mt-dev)
demo=(curl nghttp2-client)
test=(libgtest-dev libgmock-dev clang-format-19 python3 curl openssl nghttp2-client wrk valgrind libgrpc++-dev protobuf-compiler-grpc
  etcd-server etcd-client dnsmasq-base)
bench=(libbenchmark-dev nghttp2-client wrk nginx-light linux-perf libgrpc++-dev protobuf-compiler-grpc)
dev=(git clang-format-19 clang-tidy-19 clang-tools-19 libclang-rt-19-dev llvm-19 g++)

# A server to test a plugin with, apart because of the Java it takes (200 MB).
zookeeper=(libzookeeper-java libslf4j-java default-jre-headless)

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; }

list=no
wanted=()
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage; exit 0 ;;
    --list) list=yes ;;
    build) wanted+=("${build[@]}") ;;
    demo) wanted+=("${demo[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    dev) wanted+=("${dev[@]}") ;;
    zookeeper) wanted+=("${zookeeper[@]}") ;;
    *) echo "deps.sh: no package group '$argument' (groups: build demo test bench dev zookeeper)" >&2; exit 2 ;;
  esac
done
[[ ${#wanted[@]} -gt 0 ]] || wanted=("${build[@]}")
mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)

if [[ $list == yes ]]; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi
[[ ${MICRO_DEPS:-} == skip ]] && exit 0

# give_up <why>: names the packages and the command that installs them.
give_up() {
  {
    echo "deps.sh: $1"
    echo "  missing: ${missing[*]}"
    echo "  install: sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
  } >&2
  exit 3
}

missing=("${wanted[@]}")
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  give_up "this is no Debian system, so nothing was installed. Install the equivalents, then set MICRO_DEPS=skip."
fi

find_missing() {
  local installed
  # dpkg-query fails when it knows nothing of one of the names; what it prints about the others still counts.
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' || true)
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}") <(sort -u <<<"$installed"))
}

find_missing
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  # Ask for a password only where somebody can type one.
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; }; }; then
    as_root=(sudo)
  else
    give_up "packages are missing and this user may not install them (neither root nor a working sudo)."
  fi
fi

echo "deps.sh: installing ${missing[*]}"
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --no-remove \
    -o DPkg::Lock::Timeout=120 "${missing[@]}"
}
if ! { apt-cache show "${missing[@]}" >/dev/null 2>&1 && install; }; then
  "${as_root[@]}" apt-get update -q || give_up "'apt-get update' failed: is the network, and the mirror in /etc/apt, there?"
  install || give_up "'apt-get install' failed, see its message above. Debian 12 (bookworm) with its updates has all of them."
fi

find_missing
[[ ${#missing[@]} -eq 0 ]] || give_up "apt-get reported success, but packages are still missing."
