"""Public headers may include the standard library and <micro/...>, nothing else.

Whoever includes one of our headers would otherwise compile, and need, a library of ours. Protobuf is allowed where generated code
meets the framework.
"""

import re
import sys

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
# C++ headers have no suffix; these C headers are part of the standard, too.
STANDARD = re.compile(r"[a-z_0-9]+$")
# <chrono> of libstdc++ drags calendars, streams and locales in; this one header stands in for it, guarded by __has_include.
STAND_IN = ("micro/base/duration/include/micro/duration/chrono.hpp", "bits/chrono.h")
PROTOBUF_ALLOWED = re.compile(r"micro/protocols/codecs/|micro/rpc/(call|client)/include/micro/\w+/typed\.hpp$")


def fault(file, bracket, target):
    if bracket == '"':
        return 'quoted include; write <micro/...>'
    if target.startswith("micro/"):
        return None
    if target.startswith("google/protobuf/"):
        return None if PROTOBUF_ALLOWED.search(tree.relative(file)) else "protobuf belongs to protocols/codecs and generated code"
    if STANDARD.match(target) or (tree.relative(file), target) == STAND_IN:
        return None
    return "not the standard library and not ours"


def main():
    findings = []
    for file in tree.public_headers():
        text = file.read_text()
        if "#pragma once" not in text:
            findings.append(f"{tree.relative(file)}: no #pragma once")
        for match in INCLUDE.finditer(text):
            why = fault(file, *match.groups())
            if why:
                findings.append(f"{tree.relative(file)}:{tree.line_of(text, match.start(2))}: {match.group(2)}: {why}")
    return tree.report(findings, "Declare what you need in the header (a forward declaration, a pimpl) and include the library in the .cpp.")


if __name__ == "__main__":
    sys.exit(main())
