#!/usr/bin/env python3
"""Proves that other implementations work with `greeter` unchanged, and the framework's client with their servers.

  run.py [--bin DIR] [--write FILE] [PEER...]      peers: micro grpcpp go node tools; all of them unless named

Every client program prints one line a check ("hello: ok"). A check that is not in its output has failed. Exit status: 0 all
passed, 1 something failed, 77 nothing ran because the tools of every named peer are missing.
"""

import argparse
import pathlib
import re
import sys

from peers import Skipped, Toolbox
from processes import Failure, Server, run, tail
from tools import CHECKS as TOOL_CHECKS
from tools import Tools

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = ["micro", "grpcpp", "go", "node", "tools"]
CLIENT_TIMEOUT = 60

# In the order in which they run: name -> what is proved.
CHECKS = {
    "hello": "unary call, text beyond ASCII",
    "metadata": "text and binary metadata both ways, in headers and trailers",
    "invalid_argument": "an error of the handler: its code and message",
    "unknown_method": "UNIMPLEMENTED",
    "unknown_service": "UNIMPLEMENTED",
    "server_stream": "1000 messages in order",
    "client_stream": "100 messages in order",
    "bidi": "100 lines, each answered before the next",
    "deadline": "DEADLINE_EXCEEDED in the middle of an endless stream",
    "cancel": "CANCELLED in the middle of an endless stream; the connection goes on",
    "drop": "the same by destroying the stream",
    "large": "1 MiB there and back",
    "large_stream": "the same with 2 MiB in a stream",
    "too_large": "5 MiB: RESOURCE_EXHAUSTED from the server; the connection goes on",
    "too_large_reply": "a reply above the limit of 4 MiB: RESOURCE_EXHAUSTED from the client",
    "gzip": "compressed requests",
    "concurrent": "50 calls at once on one connection",
    "keepalive": "PING during a silent call",
    "health": "grpc.health.v1 Check and Watch",
    "idle": "all clients gone: no connection, no work left on the server",
    "stop": "SIGTERM ends the server with status 0",
}
SERVER_CHECKS = ("idle", "stop")
# A row for what befalls a peer as a whole: skipped, does not build, crashes at its end.
WHOLE = "all"
TOOLS = "tools → greeter"
COMMON = [name for name in CHECKS if name not in ("drop", "health", *SERVER_CHECKS)]


class Results:
    """Outcomes by column ("grpc++ 1.51 -> greeter") and check: "ok", "failed: why" or "skipped: why"."""

    def __init__(self):
        self.columns = {}

    def add(self, column, check, outcome):
        outcome = " ".join(outcome.split())
        self.columns.setdefault(column, {})[check] = outcome
        print(f"  {column:<32} {check:<28} {outcome}", flush=True)

    def attempt(self, column, check, action):
        try:
            action()
            outcome = "ok"
        except Skipped as error:
            outcome = f"skipped: {error}"
        except Failure as error:
            outcome = f"failed: {error}"
        self.add(column, check, outcome)

    def outcomes(self, prefix):
        return [outcome for column in self.columns.values() for outcome in column.values() if outcome.startswith(prefix)]

    def table(self, columns, checks):
        """In Markdown: one row a check, one column a pair; failures in short."""
        rows = [["check", *columns], ["---"] * (len(columns) + 1)]
        for check in checks:
            cells = [re.sub("^failed: .*", "failed", self.columns[column].get(check, "")) for column in columns]
            if any(cells):
                rows.append([f"`{check}`", *cells])
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)

    def tables(self):
        """The pairs of clients and servers, and the tools."""
        pairs = [column for column in self.columns if column != TOOLS]
        return (self.table(pairs, [*CHECKS, WHOLE]) if pairs else "",
                self.table([TOOLS], [*TOOL_CHECKS, *SERVER_CHECKS, WHOLE]) if TOOLS in self.columns else "")


def run_client(results, column, command, address, checks):
    status, out, err = run([*command, address, *checks], CLIENT_TIMEOUT)
    said = dict(re.findall(r"^(\w+): (.*)$", out, re.M))
    for check in checks:
        results.add(column, check, said.get(check) or f"failed: did not run, the client ended with {status}: {tail(err)}")
    if status != 0 and all(said.get(check) == "ok" for check in checks):
        results.add(column, WHOLE, f"failed: the client ended with {status}: {tail(err)}")


def greeter_command(tools, program):
    return [tools.bin / program, "--address", "127.0.0.1:0", "--registry", "memory"]


def check_server(results, column, server, checks=SERVER_CHECKS):
    for check in checks:
        results.attempt(column, check, getattr(server, f"check_{check}"))


def run_peer(results, tools, name):
    peer = getattr(tools, name)()
    logs = tools.work / "logs" / name

    column = f"{peer.title} → greeter"
    with Server("greeter", greeter_command(tools, "greeter"), logs) as server:
        checks = [check for check in [*COMMON, *peer.extra] if check != "metadata"]
        run_client(results, column, peer.client, server.address, checks)
        check_server(results, column, server)
    with Server("metadata", greeter_command(tools, "interop_micro_server"), logs) as server:
        run_client(results, column, peer.client, server.address, ["metadata"])

    if peer.server:
        ours = tools.micro()
        column = f"{ours.title} → {peer.title}"
        with Server(name, peer.server, logs) as server:
            run_client(results, column, ours.client, server.address, [*COMMON, *ours.extra])
            check_server(results, column, server, ["idle"])


def run_tools(results, tools):
    program = []

    def grpcurl():
        if not program:
            program.append(tools.grpcurl())
        return program[0]

    with Server("greeter", greeter_command(tools, "greeter"), tools.work / "logs" / "tools") as server:
        checks = Tools(server.address, tools.work / "scratch", grpcurl)
        for check in TOOL_CHECKS:
            results.attempt(TOOLS, check, getattr(checks, check))
        check_server(results, TOOLS, server)


def page(results):
    pairs, tools = results.tables()
    checks = "\n".join(f"- `{name}`: {what}" for name, what in CHECKS.items())
    return f"""# Interoperability

Programs by other implementations of gRPC against `examples/greeter`, unchanged, and the framework's client against their servers.
Of those against greeter the row `metadata` alone runs against `interop_micro_server`, because greeter sends no metadata back.
`test/interop/run.py --write` writes this page when every check has passed; CTest runs the same checks under the label `interop`.

{pairs}

An empty field: this pair has no such check. What the checks prove:

{checks}

Tools, all against `greeter`; [tools.py](../../test/interop/tools.py) says what each one sends and expects:

{tools}

All of it runs on the loopback interface, without TLS and without proxies.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", nargs="*", metavar="PEER")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/dev/bin", help="where the programs of this build are")
    parser.add_argument("--proto", type=pathlib.Path, default=ROOT / "examples/greeter/proto/greeter.proto")
    parser.add_argument("--work", type=pathlib.Path, help="where peers are built and logs go; beside --bin unless given")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE",
                        help="write the table, if all peers were there and all passed")
    arguments = parser.parse_args()
    if unknown := set(arguments.peers) - set(PEERS):
        parser.error(f"no peer {' '.join(unknown)}; there are {' '.join(PEERS)}")
    bin_dir = arguments.bin.resolve()
    work = (arguments.work or bin_dir.parent / "test/interop").resolve()
    work.mkdir(parents=True, exist_ok=True)
    tools = Toolbox(HERE, work, bin_dir, arguments.proto.resolve())
    peers = arguments.peers or PEERS

    results = Results()
    for name in peers:
        try:
            if name == "tools":
                run_tools(results, tools)
            else:
                run_peer(results, tools, name)
        except Skipped as error:
            results.add(name, WHOLE, f"skipped: {error}")
        except (Failure, OSError) as error:
            results.add(name, WHOLE, f"failed: {error}")

    failed, skipped, passed = (results.outcomes(prefix) for prefix in ("failed", "skipped", "ok"))
    tables = "\n\n".join(filter(None, results.tables()))
    print(f"\n{tables}\n\n{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    if arguments.write:
        if failed or skipped or peers != PEERS:
            print(f"{arguments.write} is not written: it shows all peers, with nothing failed or skipped")
            return 1
        arguments.write.write_text(page(results))
    if failed:
        return 1
    return 0 if passed else 77


if __name__ == "__main__":
    sys.exit(main())
