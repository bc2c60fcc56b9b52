"""What the checks share: the files of the tree and the way findings are told."""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Nothing of ours is in these, at any depth.
_SKIPPED = {"build", ".git", "node_modules", "__pycache__", ".cache"}


def files(*suffixes, below="."):
    """All files of the tree under `below` with one of the suffixes (all when none is given), sorted."""
    found = []
    for directory, names, leaves in os.walk(ROOT / below):
        here = pathlib.Path(directory)
        # test/build is source; the build trees are the folders of that name elsewhere.
        names[:] = [name for name in names if name not in _SKIPPED or (here / name) == ROOT / "test" / "build"]
        found += [here / leaf for leaf in leaves if not suffixes or leaf.endswith(suffixes)]
    return sorted(found)


def components():
    """The folders that declare a micro_component or a micro_plugin."""
    declared = re.compile(r"^\s*micro_(component|plugin|plugins_library)\(", re.M)
    for folder in ("micro", "testkit", "plugins"):
        for file in files("CMakeLists.txt", below=folder):
            if declared.search(file.read_text()):
                yield file.parent


def public_headers():
    """The headers users see: include/ of every component."""
    return [file for component in components() for file in files(".hpp", below=component.relative_to(ROOT) / "include")]


def relative(path):
    return str(pathlib.Path(path).relative_to(ROOT))


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def report(findings, advice):
    """Prints findings and what to do about them; the exit status for main()."""
    for finding in findings:
        print(finding)
    if findings:
        print(f"\n{len(findings)} finding(s). {advice}")
        return 1
    print("nothing found")
    return 0


if __name__ == "__main__":
    sys.exit("tree.py is imported by the checks beside it")
