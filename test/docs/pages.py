"""What the pages say about the tree is so: pages.py ROOT

Links lead to files, ARCHITECTURE.md names files that exist, docs/reference/errors.md lists the reasons the framework uses, no more
and no less, and the tests that docs/reference/conformance.md names are there.
"""

import pathlib
import re
import sys

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:|mailto:|#)([^)#]+)(?:#[^)]*)?\)")
SOURCE = re.compile(r"(?<![\w/*.])((?:[\w-]+/)*[\w-]+\.(?:cpp|hpp|py|cmake|sh|md|proto))\b")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
# Names of files that readers of a page make.
OF_READERS = {"_test.cpp", "_bench.cpp"}
REASON_IN_SOURCE = re.compile(
    r'with_reason\("([A-Z_]+)"\)|Error\(Code::\w+, "([A-Z_]+)"|Error \w+\(Code::\w+, "([A-Z_]+)"|\{\d{3}, "([A-Z_]+)"|'
    r'error_with_status\(\s*[\w:]+, "([A-Z_]+)"|\bk\w+Reason = "([A-Z_]+)"')


def tree(root):
    skipped = {"build", ".git", "node_modules", "__pycache__"}
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if path.is_file() and not (skipped & set(parts[:1] + parts[2:])):
            yield path


def links(root, pages):
    for page in pages:
        for target in LINK.findall(FENCE.sub("", page.read_text())):
            if not (page.parent / target).exists():
                yield f"{page.relative_to(root)}: a link to {target}, which does not exist"


def named_files(root, files):
    known = {"/" + str(file.relative_to(root)) for file in files}
    for name in sorted(set(SOURCE.findall((root / "ARCHITECTURE.md").read_text())) - OF_READERS):
        tail = "/" + name
        # "loop/src/loop.cpp" is short for micro/runtime/loop/src/loop.cpp.
        if not any(path.endswith(tail) for path in known):
            yield f"ARCHITECTURE.md: names {name}, which does not exist"


def reasons(root, files):
    used = set()
    for file in files:
        name = str(file.relative_to(root))
        source = name.endswith(".cpp") and not name.endswith("_test.cpp") or name.endswith(".hpp") and "/include/" in name
        if name.startswith("micro/") and source and "conformance" not in name:
            for match in REASON_IN_SOURCE.finditer(file.read_text()):
                used.add(next(group for group in match.groups() if group))
    page = (root / "docs/reference/errors.md").read_text().split("## Reasons", 1)[1]
    first_cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    listed = set(re.findall(r"`([A-Z_]+)`", " ".join(first_cells)))
    for reason in sorted(used ^ listed):
        yield f"docs/reference/errors.md: {reason} is " + ("not listed" if reason in used else "listed, but nothing uses it")


def tests(root, files):
    known = set()
    for file in files:
        if file.name.endswith("_test.cpp"):
            known |= set(re.findall(r"^TEST(?:_[FP])?\((\w+), (\w+)\)", file.read_text(), re.M))
    for suite, name in re.findall(r"`([A-Z]\w+)\.([A-Z]\w+)`", (root / "docs/reference/conformance.md").read_text()):
        if (suite, name) not in known:
            yield f"docs/reference/conformance.md: names {suite}.{name}, which does not exist"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    files = list(tree(root))
    pages = [file for file in files if file.suffix == ".md"]
    faults = [*links(root, pages), *named_files(root, files), *reasons(root, files), *tests(root, files)]
    for fault in faults:
        print(fault)
    print(f"{len(pages)} pages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
