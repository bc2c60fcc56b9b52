"""Runs the tests of a build tree, but for those that passed before with the same inputs.

  changed.py --build build/dev [--all] [ctest argument]...

What a test's outcome depends on is hashed: its own program; for tests of whole programs all programs; the files of the tree that no
compiler turns into programs; for checks and packages every file. Where it is in doubt, more is counted in than need be. What passed is
kept in <build>/Testing/passed.json; a test that failed or was skipped is run again. The exit status is ctest's.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
CODE = (".cpp", ".hpp")
# Changes of these are seen in programs.
COMPILED = ("micro", "plugins", "tools", "examples", "testkit")


def digest(*parts):
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.encode() + b"\0")
    return whole.hexdigest()


def content(path, known={}):
    if path not in known:
        known[path] = hashlib.sha256(path.read_bytes()).hexdigest()
    return known[path]


def tree(wanted):
    """One hash of the files that git does not ignore."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, text=True, check=True)
    files = sorted(name for name in listed.stdout.split("\0") if name and wanted(name) and (ROOT / name).is_file())
    return digest(*(f"{name} {content(ROOT / name)}" for name in files))


class Inputs:
    def __init__(self, build):
        self.bin = build / "bin"
        self.programs = sorted(file for file in self.bin.iterdir() if file.is_file() and not file.name.endswith("_test"))
        self.all_programs = digest(*(f"{file.name} {content(file)}" for file in self.programs))
        self.every_file = tree(lambda name: True)
        self.data = tree(lambda name: not name.endswith(CODE + (".md", ".py", ".sh")) or "testdata" in name)
        self.not_compiled = tree(lambda name: not name.endswith(CODE) or name.split("/")[0] not in COMPILED)

    def key(self, test):
        command = test["command"]
        labels = next((p["value"] for p in test["properties"] if p["name"] == "LABELS"), [])
        program = pathlib.Path(command[0])
        if {"check", "package"} & set(labels):
            inputs = [self.every_file, self.all_programs]
        elif "unit" in labels and program.parent == self.bin:
            # Some start other programs.
            inputs = [self.data, content(program), *(content(other) for other in self.programs if other.name.endswith("_hold"))]
        elif program.parent == self.bin:
            inputs = [self.data, content(program), self.all_programs]
        else:
            inputs = [self.not_compiled, self.all_programs]
        return digest(*command, *inputs)


def shown(ctest):
    listed = subprocess.run([*ctest, "--show-only=json-v1"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        sys.exit(listed.stderr)
    return json.loads(listed.stdout[listed.stdout.index("{"):])["tests"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build tree")
    parser.add_argument("--all", action="store_true", help="run those, too, that passed with the same inputs")
    arguments, rest = parser.parse_known_args()
    build = arguments.build.resolve()
    memory, report = build / "Testing" / "passed.json", build / "Testing" / "report.xml"

    ctest = ["ctest", "--preset", build.name]
    numbers = {test["name"]: number for number, test in enumerate(shown(ctest), 1)}
    ctest += rest
    tests = shown(ctest)
    inputs = Inputs(build)
    # A program that was not built has no key; ctest tells of it.
    keys = {test["name"]: inputs.key(test) for test in tests if os.path.exists(test.get("command", [""])[0])}
    passed = json.loads(memory.read_text()) if memory.is_file() else {}
    unchanged = set() if arguments.all else {name for name, key in keys.items() if passed.get(name) == key}

    status = 0
    if len(unchanged) < len(tests):
        report.unlink(missing_ok=True)
        # By number: ctest takes one regular expression only, and the caller may have given it. The first three are an empty range.
        wanted = [str(numbers[test["name"]]) for test in tests if test["name"] not in unchanged]
        status = subprocess.run([*ctest, "-I", ",".join(["0", "0", "1", *wanted]), "--output-junit", report], cwd=ROOT).returncode
        ran = xml.etree.ElementTree.parse(report).getroot().iter("testcase") if report.is_file() else []
        for case in ran:
            name = case.get("name")
            passed.pop(name, None)
            if case.get("status") == "run" and name in keys:
                passed[name] = keys[name]
        memory.write_text(json.dumps(passed, indent=0, sort_keys=True))
    if unchanged:
        print(f"\n{len(unchanged)} tests were not run: they have passed with the same programs and files (make test ALL=1 runs them)")
    return status


if __name__ == "__main__":
    sys.exit(main())
