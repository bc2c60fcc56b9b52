"""Keeps headers light: preprocessed lines of what users include, and the length of what people read.

A header of ports or policy may preprocess to 45,000 lines, service.hpp to 65,000: about a third of a second of compile time.
"""

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import tree

BUDGETS = [("micro/ports/", 45_000), ("micro/policy/", 45_000), ("micro/app/service/include/micro/service/service.hpp", 65_000)]
HEADER_LINES = 400
SOURCE_LINES = 500


def budget_of(path):
    return next((lines for prefix, lines in BUDGETS if path.startswith(prefix)), None)


def weigh(compiler, includes, header):
    run = subprocess.run([compiler, "-std=c++23", "-E", "-P", "-x", "c++", *includes, str(header)], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"{tree.relative(header)} does not preprocess:\n{run.stderr}")
    return run.stdout.count("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="clang++-19")
    compiler = parser.parse_args().compiler

    findings = []
    headers = tree.public_headers()
    includes = [f"-I{component / 'include'}" for component in tree.components()]
    weighed = [header for header in headers if budget_of(tree.relative(header))]
    with ThreadPoolExecutor(2) as pool:
        weights = list(pool.map(lambda header: weigh(compiler, includes, header), weighed))
    for weight, header in sorted(zip(weights, weighed), reverse=True):
        path, budget = tree.relative(header), budget_of(tree.relative(header))
        print(f"{weight:>7} of {budget} preprocessed lines  {path}")
        if weight > budget:
            findings.append(f"{path}: {weight} preprocessed lines, the budget is {budget}")

    for header in headers:
        lines = header.read_text().count("\n")
        if lines > HEADER_LINES:
            findings.append(f"{tree.relative(header)}: {lines} lines; a public header has {HEADER_LINES} at most: split it")
    for source in tree.files(".cpp", ".hpp", ".py", ".sh"):
        lines = source.read_text().count("\n")
        if lines > SOURCE_LINES:
            findings.append(f"{tree.relative(source)}: {lines} lines; {SOURCE_LINES} at most: split it")
    return tree.report(findings, "See what a header pulls in: clang++-19 -std=c++23 -H -fsyntax-only ...")


if __name__ == "__main__":
    sys.exit(main())
