"""The parts of docs/reference/conformance.md: each suite owns what is between its two markers."""

import re

TITLE = """# Conformance

What the suites in [test/conformance](../../test/conformance) found, written by their `run.py --write`. CTest runs them under the
label `conformance`.
"""


def replace_part(path, name, text):
    """Puts `text` between "<!-- name:begin -->" and "<!-- name:end -->" of the file; appends the part, or makes the file, if need be."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    part = f"{begin}\n{text.strip()}\n{end}"
    page = path.read_text() if path.exists() else TITLE
    found = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if found.search(page):
        page = found.sub(lambda _: part, page)
    else:
        page = f"{page.rstrip()}\n\n{part}\n"
    path.write_text(page)
