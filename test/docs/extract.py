"""Writes the files a page consists of: extract.py PAGE.md DIRECTORY [SURROUNDINGS]

A block says with file= where it belongs. It goes to the end of that file, or, with before=, before the one line that has this text.
Files in the directory SURROUNDINGS are there before the first block: what a page takes for granted.
Every block in a language that is compiled must belong to a file, so that no code of the page escapes the compiler. Files that
have not changed are left alone, so that nothing is compiled twice.
"""

import pathlib
import sys

from blocks import blocks

COMPILED = {"cpp", "proto", "cmake"}


def assemble(page, surroundings):
    files = {file.name: file.read_text().splitlines() for file in surroundings.iterdir()} if surroundings else {}
    for block in blocks(page):
        name = block.attributes.get("file")
        if name is None:
            if block.language in COMPILED:
                raise SystemExit(f"{block.where}: which file is this? Write ```{block.language} file=...")
            continue
        lines = files.setdefault(name, [])
        marker = block.attributes.get("before")
        if marker is None:
            lines += ([""] if lines else []) + block.lines
        elif lines.count(marker) == 1:
            at = lines.index(marker)
            lines[at:at] = block.lines
        else:
            raise SystemExit(f"{block.where}: {name} has {lines.count(marker)} lines {marker!r} so far, not one")
    return files


def main():
    page, directory, *surroundings = map(pathlib.Path, sys.argv[1:])
    for name, lines in assemble(page, *(surroundings or [None])).items():
        file = directory / name
        text = "\n".join(lines) + "\n"
        if not file.is_file() or file.read_text() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


if __name__ == "__main__":
    main()
