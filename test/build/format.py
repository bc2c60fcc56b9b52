"""C++ sources are formatted as .clang-format says: what clang-format-19 would change is a finding."""

import re
import subprocess
import sys

import tree

# Written by the generator, compared byte by byte with what it writes.
GENERATED = "test/generator/golden"


def main(formatter):
    sources = [file for file in tree.files(".cpp", ".hpp") if not tree.relative(file).startswith(GENERATED)]
    run = subprocess.run([formatter, "--dry-run", *map(str, sources)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        print(run.stderr)
        return 2
    findings = {}
    for found in re.finditer(r"^(\S+?):(\d+):\d+: warning: .*clang-format-violations", run.stderr, re.M):
        findings.setdefault(tree.relative(found[1]), []).append(found[2])
    return tree.report([f"{file}: lines {', '.join(dict.fromkeys(lines))}" for file, lines in findings.items()], "make format mends them.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
