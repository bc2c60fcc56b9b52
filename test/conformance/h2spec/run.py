#!/usr/bin/env python3
"""h2spec against servers of ours: every section, strict cases included.

  run.py [--bin DIR] [--h2spec PROGRAM] [--write FILE]

Exit status: 0 all cases passed and their number is right, 1 not so, 77 h2spec cannot be had here.
"""

import argparse
import collections
import pathlib
import re
import shutil
import sys
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(ROOT / "test/interop")]

from page import replace_part  # noqa: E402
from peers import OLDEST_GO, Skipped, locked, mirror, step  # noqa: E402
from processes import Failure, Server, run, tail  # noqa: E402

# Of h2spec: how many cases there are, by version, with --strict.
CASES = {"2.2.1": 146, "2.6.0": 147}
PINNED = "2.2.1"
RUN_TIMEOUT = 300
CASE_TIMEOUT = 5  # seconds h2spec waits for what must come; on a busy machine its own 2 are few

# (server, section, case) -> why its failure is none.
EXCUSED = {
    ("greeter", "http2/3.5", "Sends invalid connection preface"):
        "The port speaks HTTP/1.1 too, and answers what is no preface with 400 and the end of the connection; h2spec wants silence. "
        "RFC 9113, section 3.4: \"A GOAWAY frame MAY be omitted in this case, since an invalid preface indicates that the peer is "
        "not using HTTP/2.\" On a port for HTTP/2 alone the case passes.",
}

SECTIONS = {"generic": "generic", "http2": "RFC 7540", "hpack": "RFC 7541"}

Outcome = collections.namedtuple("Outcome", "package section case result")


def build(work):
    go = shutil.which("go")
    if not go:
        raise Skipped("no go")
    found = re.match(r"go(\d+)\.(\d+)", run([go, "env", "GOVERSION"], 30)[1])
    if not found or tuple(map(int, found.groups())) < OLDEST_GO:
        raise Skipped(f"go is too old, {'.'.join(map(str, OLDEST_GO))} is needed")
    source = work / "go"
    with locked(source):
        mirror(HERE / "go", source, (".go", ".mod", ".sum"))
        step("the modules of h2spec", [go, "mod", "download"], source, tries=2)
        step("h2spec", [go, "build", "-o", f"{work}/h2spec", "github.com/summerwind/h2spec/cmd/h2spec"], source)
    return work / "h2spec"


def read_report(path):
    for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            problem = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
            result = "passed" if problem is None else f"{problem.tag}: {' '.join(''.join(problem.itertext()).split())}"
            yield Outcome(suite.get("package"), suite.get("name"), case.get("classname"), result)


def try_server(name, command, h2spec, work):
    with Server(name, command, work / "logs") as server:
        host, port = server.address.rsplit(":", 1)
        report = work / f"{name}.xml"
        report.unlink(missing_ok=True)
        _, out, err = run([h2spec, "--host", host, "--port", port, "--strict", "--timeout", CASE_TIMEOUT, "--junit-report", report],
                          RUN_TIMEOUT)
        (work / "logs" / f"{name}.h2spec.log").write_text(out + err)
        if not report.exists():
            raise Failure(f"h2spec wrote no report: {tail(out + err)}")
        if server.process.poll() is not None:
            raise Failure(f"{name} ended with status {server.process.returncode}")
        server.check_idle()
        server.check_stop()
    return list(read_report(report))


def judge(name, outcomes, expected):
    """Prints what is not as it has to be; returns whether all is."""
    good = True
    for outcome in outcomes:
        why = EXCUSED.get((name, outcome.package, outcome.case))
        if outcome.result == "passed" and not why:
            continue
        label = f"{name}: {outcome.package} {outcome.case!r}"
        if outcome.result == "passed":
            print(f"FAILED {label} passes: it needs no excuse any more")
            good = False
        elif why:
            print(f"excused {label}: {why}")
        else:
            print(f"FAILED {label}: {outcome.result}")
            good = False
    if len(outcomes) != expected:
        print(f"FAILED {name}: {len(outcomes)} cases have run, not {expected}")
        good = False
    return good


def table(results):
    """In Markdown: passed cases of all, a row a section, a column a server."""
    rows = [["section", *results], ["---", *["---:"] * len(results)]]
    sections = list(dict.fromkeys((o.package, o.section) for outcomes in results.values() for o in outcomes))
    for package, section in sections:
        row = [f"{SECTIONS[package.partition('/')[0]]}: {section}"]
        for outcomes in results.values():
            those = [o.result == "passed" for o in outcomes if o.package == package]
            row.append(f"{sum(those)} of {len(those)}")
        rows.append(row)
    rows.append(["all", *(f"{sum(o.result == 'passed' for o in outcomes)} of {len(outcomes)}" for outcomes in results.values())])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def part(results, version):
    excuses = "\n".join(f"- {server}, {package.partition('/')[2]} \"{case}\": {why}" for (server, package, case), why in EXCUSED.items())
    return f"""## HTTP/2: h2spec {version}

[h2spec](https://github.com/summerwind/h2spec), all sections, strict cases included, against `greeter` as it comes and against a port for
HTTP/2 alone; `test/conformance/h2spec` says how. Section numbers are those of RFC 7540, which h2spec follows; what RFC 9113 has changed
is not among its cases. Excused:

{excuses}

{table(results)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/dev/bin", help="where the programs of this build are")
    parser.add_argument("--work", type=pathlib.Path, help="where h2spec is built and logs go; beside --bin unless given")
    parser.add_argument("--h2spec", type=pathlib.Path, help="a program instead of the one that is built")
    parser.add_argument("--version", default=PINNED, choices=CASES, help="of that program")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE", help="write the table into its part of FILE, if all passed")
    arguments = parser.parse_args()
    bin_dir = arguments.bin.resolve()
    work = (arguments.work or bin_dir.parent / "test/conformance/h2spec").resolve()
    work.mkdir(parents=True, exist_ok=True)
    try:
        h2spec = arguments.h2spec.resolve() if arguments.h2spec else build(work)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return 77
    servers = {"greeter": bin_dir / "greeter", "HTTP/2 alone": bin_dir / "conformance_h2spec_server"}
    results, good = {}, True
    for name, program in servers.items():
        command = [program, "--address", "127.0.0.1:0", "--registry", "memory"]
        try:
            results[name] = try_server(name.replace("/", ""), command, h2spec, work)
        except Failure as failure:
            print(f"FAILED {name}: {failure}")
            good = False
            continue
        good = judge(name, results[name], CASES[arguments.version]) and good
    print(table(results))
    if arguments.write:
        if not good:
            print(f"{arguments.write} is not written: it shows what passed")
            return 1
        replace_part(arguments.write, "h2spec", part(results, arguments.version))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
