"""Fenced code blocks of a Markdown file, with the attributes behind their language:

    ```cpp file=main.cpp before="// More goes here."
"""

import dataclasses
import shlex


@dataclasses.dataclass
class Block:
    language: str
    attributes: dict
    lines: list
    where: str  # "page.md:12", for messages

    @property
    def text(self):
        return "".join(line + "\n" for line in self.lines)


def blocks(path):
    found = []
    fence = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if fence is None and line.startswith("```"):
            language, *rest = shlex.split(line[3:]) or [""]
            attributes = dict(item.split("=", 1) for item in rest)
            fence = Block(language, attributes, [], f"{path.name}:{number}")
        elif fence is not None and line == "```":
            found.append(fence)
            fence = None
        elif fence is not None:
            fence.lines.append(line)
    if fence is not None:
        raise SystemExit(f"{fence.where}: this block has no end")
    return found
