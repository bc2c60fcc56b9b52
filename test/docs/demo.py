"""Compares what README.md shows of `make demo` with the script: demo.py ROOT

The titles of the steps and the checks that went well must be those of scripts/demo.sh, in their order. Of what the shell fills in
anything will do.
"""

import pathlib
import re
import sys

from blocks import blocks

STEP = re.compile(r'step "((?:[^"\\]|\\.)*)"$')
# The last word of a check is what it says; a substitution in it may have quotes of its own.
CHECK = re.compile(r'check .*? "((?:[^"\\$]|\\.|\$\w+|\$\([^()]*\))*)"$')
FILLED_IN = re.compile(r"\$\([^()]*\)|\$\{[^}]*\}|\$\w+")
LAST = "It stays up: try it"  # only in a terminal


def of_script(text):
    """("==" or "ok", regular expression) for each line the README must have."""
    for line in text.splitlines():
        found = STEP.match(line) or CHECK.match(line)
        if not found:
            continue
        if line.startswith("step") and found[1] == LAST:
            return
        plain = [re.escape(re.sub(r"\\(.)", r"\1", part)) for part in FILLED_IN.split(found[1])]
        yield "==" if line.startswith("step") else "ok", ".*".join(plain)


def of_readme(page):
    shown = [block for block in blocks(page) if block.language == "text" and "\n== " in "\n" + block.text]
    if len(shown) != 1:
        raise SystemExit(f"{page.name}: {len(shown)} blocks look like the output of the demo, not one")
    return [(m[1], m[2]) for m in re.finditer(r"^(==|   ok) +(.*)$", shown[0].text, re.M)]


def main():
    root = pathlib.Path(sys.argv[1])
    script = list(of_script((root / "scripts/demo.sh").read_text()))
    readme = [(kind.strip(), text) for kind, text in of_readme(root / "README.md")]
    if sum(line.startswith(("step ", "check ")) for line in (root / "scripts/demo.sh").read_text().splitlines()) != len(script) + 1:
        print("scripts/demo.sh has a step or a check that this test cannot read")
        return 1
    for at in range(max(len(script), len(readme))):
        wanted = script[at] if at < len(script) else ("nothing more", "")
        shown = readme[at] if at < len(readme) else ("nothing more", "")
        if wanted[0] != shown[0] or not re.fullmatch(wanted[1], shown[1]):
            print(f"README.md shows\n    {' '.join(shown)}\n  where scripts/demo.sh prints\n    {' '.join(wanted)}")
            return 1
    print(f"{len(script)} steps and checks are shown as they are")
    return 0 if script else 1


if __name__ == "__main__":
    raise SystemExit(main())
