"""Every component folder has the same shape, and the tree holds finished work only.

README.md and CMakeLists.txt in every component; no notes to self in the code; no path of the machine somebody
worked on, no ticket numbers.
"""

import re
import sys

import tree

TEXT = (".cpp", ".hpp", ".h", ".md", ".txt", ".cmake", ".in", ".proto", ".py", ".sh", ".json", ".yml", ".yaml", "Makefile")
NOTES = re.compile(r"\b(TODO|FIXME|X{3}|HACK)\b")
NOTES_IN = (".cpp", ".hpp", ".cmake", ".txt", ".proto", ".py", ".sh", "Makefile")
# Absolute paths below a person's home, or of a checkout.
PATHS = re.compile(r"(?<![\w.}/])/(?:home|Users|work|root)/[\w.-]+")
# A number in a tracker says nothing to who has only the tree.
TICKETS = re.compile(r"\b[Ii]ssue #?\d+\b")
COMPONENT_FOLDERS = re.compile(r"(micro/[a-z0-9_]+|testkit|plugins)/[a-z0-9_]+$")


def main():
    findings = []
    for folder in ("micro", "testkit", "plugins"):
        for directory in sorted({file.parent for file in tree.files(below=folder)} | {f for f in (tree.ROOT / folder).glob("*/*")}):
            if directory.is_dir() and COMPONENT_FOLDERS.match(tree.relative(directory)):
                for name in ("README.md", "CMakeLists.txt"):
                    if not (directory / name).is_file():
                        findings.append(f"{tree.relative(directory)}: no {name}")

    this = tree.relative(__file__)
    for file in tree.files(*TEXT):
        path = tree.relative(file)
        if path == this:
            continue
        text = file.read_text(errors="replace")
        if path.endswith(NOTES_IN):
            findings += [f"{path}:{tree.line_of(text, m.start())}: a note to self: {m.group()}" for m in NOTES.finditer(text)]
        findings += [f"{path}:{tree.line_of(text, m.start())}: a path of one machine: {m.group()}" for m in PATHS.finditer(text)]
        findings += [f"{path}:{tree.line_of(text, m.start())}: a ticket number: {m.group()}" for m in TICKETS.finditer(text)]
    return tree.report(findings, "Write the README (purpose, one example, layer, how to extend); finish or drop what a note announces.")


if __name__ == "__main__":
    sys.exit(main())
