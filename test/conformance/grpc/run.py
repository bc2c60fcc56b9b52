#!/usr/bin/env python3
"""gRPC's interoperability suite (doc/interop-test-descriptions.md of gRPC) with our client and server, against those of others.

  run.py [--bin DIR] [--write FILE] [PEER...]      peers: micro grpcpp go; all of them unless named

Each case is a run of a client: --server_host, --server_port, --test_case. Exit status: 0 all passed, 1 something failed, 77 nothing
ran because the tools of every named peer are missing.
"""

import argparse
import dataclasses
import pathlib
import re
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(ROOT / "test/interop")]

from page import replace_part  # noqa: E402
from peers import OLDEST_GO, Skipped, locked, mirror, step  # noqa: E402
from processes import Failure, Server, run, tail  # noqa: E402

PEERS = ["micro", "grpcpp", "go"]
CASE_TIMEOUT = 120

# In the order of the description: name -> what is proved.
CASES = {
    "empty_unary": "messages of no bytes",
    "large_unary": "272 KB there, 314 KB back",
    "client_compressed_unary": "compressed and plain requests, after a probe that the server looks at the flag",
    "server_compressed_unary": "compressed and plain replies, as asked for",
    "client_streaming": "four messages, one reply",
    "client_compressed_streaming": "a compressed and a plain message in one stream, after the probe",
    "server_streaming": "one message, four replies",
    "server_compressed_streaming": "a compressed and a plain reply in one stream",
    "ping_pong": "four messages, each answered before the next",
    "empty_stream": "a stream without messages",
    "custom_metadata": "text comes back in the headers, bytes in the trailers",
    "status_code_and_message": "a status of the server, unary and streaming",
    "special_status_message": "white space and Unicode in the message of a status",
    "unimplemented_method": "UNIMPLEMENTED",
    "unimplemented_service": "UNIMPLEMENTED",
    "cancel_after_begin": "CANCELLED before the first message",
    "cancel_after_first_response": "CANCELLED in the middle of a stream",
    "timeout_on_sleeping_server": "DEADLINE_EXCEEDED after a millisecond",
    "rpc_soak": "ten large calls on one connection",
    "channel_soak": "ten large calls, each on a connection of its own",
    # Not described there, or there without a procedure.
    "concurrent_large_unary": "1000 large calls over one connection, a hundred at a time",
    "half_duplex": "all requests, then all replies",
    "very_large_unary": "32 MiB there and back",
}
OURS = ("concurrent_large_unary", "half_duplex", "very_large_unary")
# grpc-go's own client cannot look at the flag of a message, nor its server.
COMPRESSED = ("client_compressed_unary", "server_compressed_unary", "client_compressed_streaming", "server_compressed_streaming")
SERVER_CHECKS = {"idle": "all clients gone: no connection, no work left on the server", "stop": "SIGTERM ends the server with status 0"}
WHOLE = "all"


@dataclasses.dataclass
class Peer:
    title: str                  # "grpc-go 1.80.0"
    client: list                # the command; host, port and case follow
    server: list                # the command; empty: there is none
    client_lacks: tuple = ()    # cases its client does not have
    server_lacks: tuple = ()    # cases that need what its server does not do


class Toolbox:
    def __init__(self, work, bin_dir):
        self.work, self.bin = work, bin_dir

    # One method a peer; each returns a Peer, raises Skipped when it cannot be had here and Failure when it does not build.

    def micro(self):
        return Peer("our client", [self.bin / "interop_client"],
                    [self.bin / "interop_server", "--address", "127.0.0.1:0", "--registry", "memory"])

    def grpcpp(self):
        version = run(["pkg-config", "--modversion", "grpc++"], 60)[1].strip()
        return Peer(f"grpc++ {version}", [self.bin / "interop_suite_grpcpp_client"],
                    [self.bin / "interop_suite_grpcpp_server", "127.0.0.1:0"])

    def go(self):
        go = shutil.which("go")
        if not go:
            raise Skipped("no go")
        found = re.match(r"go(\d+)\.(\d+)", run([go, "env", "GOVERSION"], 30)[1])
        if not found or tuple(map(int, found.groups())) < OLDEST_GO:
            raise Skipped(f"go is older than {'.'.join(map(str, OLDEST_GO))}")
        root = self.work / "go"
        source = root / "src"
        with locked(root):
            mirror(HERE / "go", source, (".go", ".mod", ".sum"))
            step("the modules of grpc-go", [go, "mod", "download"], source, tries=2)
            step("the interop programs of grpc-go",
                 [go, "build", "-o", f"{root}/bin/", "google.golang.org/grpc/interop/client", "./server"], source)
        version = re.search(r"google.golang.org/grpc v(\S+)", (source / "go.mod").read_text())[1]
        return Peer(f"grpc-go {version}", [root / "bin/client"], [root / "bin/server", "127.0.0.1:0"],
                    client_lacks=(*COMPRESSED, *OURS), server_lacks=COMPRESSED)


class Results:
    """Outcomes by column ("grpc++ 1.51 → our server") and case: "ok", "failed: why" or "skipped: why"."""

    def __init__(self):
        self.columns = {}

    def add(self, column, case, outcome):
        outcome = " ".join(outcome.split())
        self.columns.setdefault(column, {})[case] = outcome
        print(f"  {column:<32} {case:<30} {outcome}", flush=True)

    def attempt(self, column, case, action):
        try:
            action()
            self.add(column, case, "ok")
        except Failure as error:
            self.add(column, case, f"failed: {error}")

    def outcomes(self, prefix):
        return [outcome for column in self.columns.values() for outcome in column.values() if outcome.startswith(prefix)]

    def table(self):
        """In Markdown: one row a case, one column a pair; failures in short."""
        rows = [["case", *self.columns], ["---"] * (len(self.columns) + 1)]
        for case in [*CASES, *SERVER_CHECKS, WHOLE]:
            cells = [re.sub("^failed: .*", "failed", column.get(case, "")) for column in self.columns.values()]
            if any(cells):
                rows.append([f"`{case}`", *cells])
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def run_case(client, address, case):
    host, _, port = address.rpartition(":")
    command = [*client, f"--server_host={host}", f"--server_port={port}", f"--test_case={case}"]
    status, out, err = run(command, CASE_TIMEOUT)
    if status != 0:
        raise Failure(f"the client ended with {status}: {tail(err or out)}")


def run_pair(results, column, client, server, lacking):
    for case in CASES:
        if case not in lacking:
            results.attempt(column, case, lambda case=case: run_case(client, server.address, case))


def run_peer(results, tools, name):
    peer, ours = getattr(tools, name)(), tools.micro()
    logs = tools.work / "logs" / name
    column = f"{peer.title} → our server"
    with Server("interop_server", ours.server, logs) as server:
        run_pair(results, column, peer.client, server, peer.client_lacks)
        for check in SERVER_CHECKS:
            results.attempt(column, check, getattr(server, f"check_{check}"))
    if name != "micro":
        column = f"{ours.title} → {peer.title}"
        with Server(name, peer.server, logs) as server:
            run_pair(results, column, ours.client, server, peer.server_lacks)
            results.attempt(column, "idle", server.check_idle)


def page(results):
    what = "\n".join(f"- `{name}`: {text}" for name, text in {**CASES, **SERVER_CHECKS}.items())
    return f"""
## gRPC's interoperability suite

The cases of gRPC's `doc/interop-test-descriptions.md`, both ways against other implementations; the last three cases are not
described there. grpc-go's client is its own program; its server is its own service, on a loopback port. The programs for grpc++ are
in [test/conformance/grpc](../../test/conformance/grpc), because Debian has none.

{results.table()}

An empty field: the other side has no such case. grpc-go can neither ask for compression message by message nor see it. Left out for
all: `cacheable_unary` (needs a caching proxy and GET), the cases with credentials, load reports or a resolver (`*_creds`,
`orca_*`, `pick_first_unary`). What the cases prove:

{what}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", nargs="*", metavar="PEER")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/dev/bin", help="where the programs of this build are")
    parser.add_argument("--work", type=pathlib.Path, help="where peers are built and logs go; beside --bin unless given")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE",
                        help="write the table into its part of FILE, if all peers were there and all passed")
    arguments = parser.parse_args()
    if unknown := set(arguments.peers) - set(PEERS):
        parser.error(f"no peer {' '.join(unknown)}; there are {' '.join(PEERS)}")
    bin_dir = arguments.bin.resolve()
    work = (arguments.work or bin_dir.parent / "test/conformance/grpc").resolve()
    work.mkdir(parents=True, exist_ok=True)
    tools = Toolbox(work, bin_dir)
    peers = arguments.peers or PEERS

    results = Results()
    for name in peers:
        try:
            run_peer(results, tools, name)
        except Skipped as error:
            results.add(name, WHOLE, f"skipped: {error}")
        except (Failure, OSError) as error:
            results.add(name, WHOLE, f"failed: {error}")

    failed, skipped, passed = (results.outcomes(prefix) for prefix in ("failed", "skipped", "ok"))
    print(f"\n{results.table()}\n\n{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    if arguments.write:
        if failed or skipped or peers != PEERS:
            print(f"{arguments.write} is not written: it shows all peers, with nothing failed or skipped")
            return 1
        replace_part(arguments.write, "grpc", page(results))
    if failed:
        return 1
    return 0 if passed else 77


if __name__ == "__main__":
    sys.exit(main())
