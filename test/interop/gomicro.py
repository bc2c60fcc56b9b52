#!/usr/bin/env python3
"""Proves that programs of go-micro and ours work with each other in go-micro's own RPC: its client with `greeter`, `micro call` and
`micro stream` with its server.

  gomicro.py [--bin DIR] [--work DIR] [VERSION]...

Prints one line a check. Exit status: 0 all passed, 1 something failed, 77 nothing ran because Go or the modules are missing.
"""

import argparse
import json
import pathlib
import re
import sys

from peers import Skipped, Toolbox, locked, step
from processes import Failure, Server, run, tail

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = ("v4", "v5")
CHECKS = ["hello", "many", "large", "protobuf", "invalid_argument", "unknown_method", "server_stream", "bidi"]

# What `micro` is asked, and what it is to say: status, standard output, words of standard error.
QUESTIONS = {
    "hello": (["call", "greeter", "Greeter.Hello", '{"name":"John"}'], 0, ['{"message":"Hello John"}'], ""),
    "metadata_none": (["call", "greeter", "Greeter.Hello", '{"name":"metadata"}'], 0, ['{"message":"Hello "}'], ""),
    "invalid_argument": (["call", "greeter", "Greeter.Hello", "{}"], 1, [], "INVALID_ARGUMENT: field name: expected somebody to greet"),
    "unknown_method": (["call", "greeter", "Greeter.Nothing", "{}"], 1, [], "UNIMPLEMENTED: rpc: can't find method Nothing"),
    "deadline": (["call", "greeter", "Greeter.Hello", '{"name":"deadline"}', "--timeout", "300ms"], 1, [], "DEADLINE_EXCEEDED"),
    "server_stream": (["stream", "greeter", "Greeter.Countdown", '{"from":3}'], 0, [f'{{"value":{n}}}' for n in (3, 2, 1, 0)], ""),
    # One message a time: go-micro's server writes all from one buffer, so that of several in a row some are sent twice.
    "bidi": (["stream", "greeter", "Greeter.Chat", '{"text":"one"}', '{"text":"one"}'], 0, ['{"text":"you said: one"}'] * 2, ""),
}


def build(go, version, work):
    """The program of one version: its modules, and the one source with the version's number in its imports."""
    root = work / "gomicro" / version
    with locked(root):
        source = (HERE / "gomicro" / "main.go").read_text().replace('"go-micro.dev/v4', f'"go-micro.dev/{version}')
        for name, text in {"main.go": source, **{name: (HERE / "gomicro" / version / name).read_text() for name in ("go.mod", "go.sum")}}.items():
            if not (root / name).is_file() or (root / name).read_text() != text:
                (root / name).write_text(text)
        step(f"the modules of go-micro {version}", [go, "mod", "download"], root, tries=2)
        step(f"go-micro {version}", [go, "build", "-o", "gomicro", "."], root)
    return root / "gomicro", re.search(rf"go-micro.dev/{version} v(\S+)", (root / "go.mod").read_text())[1]


def their_client(program, title, bin_dir, logs):
    outcomes = {}
    with Server(f"greeter-{title}", [bin_dir / "greeter", "--address", "127.0.0.1:0", "--registry", "memory"], logs) as server:
        status, out, err = run([program, "client", server.address], 120)
        said = dict(re.findall(r"^(\w+): (.*)$", out, re.M))
        for check in CHECKS:
            outcomes[check] = said.get(check, f"failed: did not run, the client ended with {status}: {tail(err)}")
    return outcomes


def their_server(program, title, bin_dir, work, logs):
    outcomes = {}
    with Server(f"gomicro-{title}", [program, "server"], logs) as server:
        record = [{"name": "greeter", "version": "latest", "nodes": [
            {"id": "greeter-1", "address": server.address, "metadata": {"protocol": "mucp", "server": "mucp", "transport": "http"}}]}]
        services = work / "gomicro" / f"services-{title}.json"
        services.write_text(json.dumps(record))
        for check, (arguments, wanted, lines, words) in QUESTIONS.items():
            status, out, err = run([bin_dir / "micro", *arguments, "--registry", "static", "--registry_address", f"file:{services}"], 30)
            good = status == wanted and out.splitlines() == lines and words in err
            outcomes[check] = "ok" if good else f"failed: status {status}: {tail(out + err)}"
    return outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=HERE.parent.parent / "build/dev/bin", help="where the programs are")
    parser.add_argument("--work", type=pathlib.Path, help="where go-micro is built and logs go; beside --bin unless given")
    parser.add_argument("versions", nargs="*", default=VERSIONS, help="v4, v5")
    arguments = parser.parse_args()
    bin_dir = arguments.bin.resolve()
    work = (arguments.work or bin_dir.parent / "test/interop").resolve()
    logs = work / "logs" / "gomicro"
    failed = skipped = 0
    for version in arguments.versions:
        try:
            go = Toolbox(HERE, work, bin_dir, HERE).find_go()
            program, release = build(go, version, work)
            results = {f"go-micro {release} -> greeter": their_client(program, version, bin_dir, logs),
                       f"micro -> go-micro {release}": their_server(program, version, bin_dir, work, logs)}
        except Skipped as error:
            print(f"skipped: {error}")
            skipped += 1
            continue
        except Failure as error:
            print(f"go-micro {version}: failed: {error}")
            failed += 1
            continue
        for title, outcomes in results.items():
            for check, outcome in outcomes.items():
                print(f"  {title:<28} {check:<20} {outcome}")
            failed += sum(outcome != "ok" for outcome in outcomes.values())
    if failed:
        return 1
    return 77 if skipped == len(arguments.versions) else 0


if __name__ == "__main__":
    sys.exit(main())
