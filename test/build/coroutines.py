"""Forbids what GCC 12 miscompiles: a braced temporary, or a lambda with captures, inside a co_await expression.

GCC 12 copies such a temporary into the coroutine frame and destroys both copies: a double free, far from its cause. Give it a name:

    co_await client.call(context, {.name = name});             // no: destroyed twice
    const Request request{.name = name};
    co_await client.call(context, request);                    // yes

    co_await offload([&] { return work(path); });              // no
    const auto job = [&] { return work(path); };
    co_await offload(job);                                     // yes

The check reads text, not C++: it looks at the full expression around each co_await, which ends at a semicolon, at the braces of the
block around it, or at the parentheses of if, while, for and switch. Block braces are told from initialisers by the space that
clang-format puts before them. Where it errs, end the line with `// coroutine-lint: allow` and say why on the line above.
"""

import re
import sys

import tree

ALLOW = "coroutine-lint: allow"
_BLANKED = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'""", re.S)
_STATEMENT_HEAD = re.compile(r"\b(if|while|for|switch|catch)(\s+constexpr)?\s*$")
_BEFORE_INITIALISER = re.compile(r"(=|\breturn|\bco_return|,|\(|\[|\?|:|&&|\|\||\{)\s*$")


def blank(text):
    """The text with comments and literals replaced by spaces: same length, same lines."""
    return _BLANKED.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def is_block(text, brace):
    """Whether the `{` at `brace` opens a block (or a lambda's body) rather than an initialiser."""
    before = text[:brace]
    if before and before[-1] in " \t\n":
        return not _BEFORE_INITIALISER.search(before) or before.rstrip().endswith(("{", ":"))
    return before.endswith(")")  # Formatted code has a space here; forgive it when it has not.


def expression_start(text, at):
    depth = 0
    while at > 0:
        at -= 1
        c = text[at]
        if c in ")]":
            if depth == 0 and c == ")" and _STATEMENT_HEAD.search(text[:matching_open(text, at)]):
                return at + 1  # if (...) co_await ...
            depth += 1
        elif c == "}":
            if depth == 0 and is_block(text, matching_open(text, at)):
                return at + 1
            depth += 1
        elif c in "([{":
            if depth > 0:
                depth -= 1
            elif c == "{" and is_block(text, at):
                return at + 1
            elif c == "(" and _STATEMENT_HEAD.search(text[:at]):
                return at + 1
        elif c == ";" and depth == 0:
            return at + 1
    return 0


def matching_open(text, close):
    depth = 0
    for at in range(close, -1, -1):
        if text[at] in ")]}":
            depth += 1
        elif text[at] in "([{":
            depth -= 1
            if depth == 0:
                return at
    return 0


def matching_close(text, opened):
    depth = 0
    for at in range(opened, len(text)):
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
            if depth == 0:
                return at
    return len(text) - 1


def expression_end(text, start):
    at = start
    while at < len(text):
        c = text[at]
        if c == ";" or c in ")]}":
            return at
        if c in "([{":
            if c == "{" and is_block(text, at) and not is_lambda_body(text, at):
                return at
            at = matching_close(text, at)
        at += 1
    return at


def is_lambda_body(text, brace):
    return bool(re.search(r"\]\s*(\([^{};]*\)\s*)?(mutable\s*)?(noexcept\s*)?(->[^{};]*)?$", text[max(0, brace - 400):brace]))


def skip_lambda(text, bracket, end):
    """The last character of the lambda whose captures start at `bracket`."""
    at = matching_close(text, bracket) + 1
    while at < end and text[at] != "{":
        at = matching_close(text, at) + 1 if text[at] == "(" else at + 1
    return matching_close(text, at) if at < end else end


def faults(text, start, end):
    """(position, what) of every temporary in the expression text[start:end] that must have a name."""
    at = start
    while at < end:
        c = text[at]
        if c == "[" and text[at:at + 2] == "[[":
            at = matching_close(text, at)
        elif c == "[" and not re.search(r"[\w\])]\s*$", text[start:at].split("return")[-1].split("co_await")[-1]):
            if text[at + 1:matching_close(text, at)].strip():
                yield at, "a lambda with captures"
            at = skip_lambda(text, at, end)  # A body has expressions of its own.
        elif c == "{":
            yield at, "a braced temporary"
            at = matching_close(text, at)
        at += 1


def check(source):
    """(line, what) of every fault in the source text."""
    text = blank(source)
    lines = source.split("\n")
    found = {}
    for match in re.finditer(r"\bco_await\b", text):
        start = expression_start(text, match.start())
        end = expression_end(text, start)
        # `Type name{co_await f()};` is a declaration: its own braces make the variable, no temporary.
        declaration = re.match(r"\s*(const\s+|auto\s+|static\s+)*[\w:<>,&*\s]+?\s[\w]+\{", text[start:end])
        if declaration and not re.match(r"\s*(co_return|return|co_await|co_yield|throw|case|else)\b", text[start:end]):
            start += declaration.end()
            end = matching_close(text, start - 1)
        for position, what in faults(text, start, end):
            line = tree.line_of(text, position)
            if ALLOW not in lines[line - 1]:
                found[position] = (line, what)
    return [found[position] for position in sorted(found)]


def main():
    findings = []
    for folder in ("micro", "tools", "examples", "testkit", "plugins", "test"):
        for file in tree.files(".cpp", ".hpp", below=folder):
            findings += [f"{tree.relative(file)}:{line}: {what} inside a co_await expression" for line, what in check(file.read_text())]
    return tree.report(findings, "GCC 12 destroys it twice: name it in a statement of its own first (see test/build/coroutines.py).")


if __name__ == "__main__":
    sys.exit(main())
