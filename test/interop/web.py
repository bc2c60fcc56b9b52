#!/usr/bin/env python3
"""Proves that our web client works with a WebSocket server that is not ours, the npm package ws; its client with our protocol and with
`greeter`; and connect's gRPC-Web client with `greeter`.

  web.py [--bin DIR] [--work DIR]

Prints one line a check. Exit status: 0 all passed, 1 something failed, 77 nothing ran because node or npm are missing.
"""

import argparse
import pathlib
import re
import shutil
import sys

from peers import OLDEST_NODE, Skipped, locked, mirror, step
from processes import Failure, Server, run, tail

HERE = pathlib.Path(__file__).resolve().parent
CHECKS = ["echo", "deflate", "deflate_declined", "fragments", "pings", "closing", "bad_frames", "not_found", "unary", "server_stream",
          "client_stream", "bidi", "events", "events_error", "feed"]
SERVER_CHECKS = ["echo", "deflate", "fragments", "pings", "closing", "bad_frames", "bomb", "subprotocol", "handshakes"]
GREETER_CHECKS = ["web_unary_http1", "web_unary_http2", "web_server_stream_http1", "web_server_stream_http2", "web_errors", "web_large",
                  "web_cancel", "ws_unary", "ws_binary", "ws_server_stream", "ws_client_stream", "ws_bidi", "ws_errors"]


def install(work):
    """Where ws is, and node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise Skipped("no node" if not node else "no npm")
    version = run([node, "--version"], 10)[1].strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise Skipped(f"node {version} is too old, {OLDEST_NODE} is needed")
    root = work / "web"
    with locked(root):
        mirror(HERE / "web", root, (".js", ".json", ".npmrc"))
        lock, stamp = root / "package-lock.json", root / "installed"
        if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
            step("ws", [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], root, tries=2)
            shutil.copyfile(lock, stamp)
    return node, root


def describe(protoc, work):
    """The descriptors of greeter's messages, for clients without generated code."""
    proto = HERE.parent.parent / "examples/greeter/proto/greeter.proto"
    out = work / "greeter.binpb"
    step("protoc", [protoc, "-I", proto.parent, "--include_imports", f"--descriptor_set_out={out}", proto], work)
    return out


def attempt(title, name, server_command, client_command, checks, logs):
    """Runs the checks of a client against a server; true when all have passed."""
    outcomes = {}
    try:
        with Server(name, server_command, logs) as server:
            status, out, err = run([*client_command, server.address, *checks], 120)
            said = dict(re.findall(r"^(\w+): (.*)$", out, re.M))
            for check in checks:
                outcomes[check] = said.get(check, f"failed: did not run, the client ended with {status}: {tail(err)}")
            server.check_idle()
            outcomes["idle"] = "ok"
    except Failure as error:
        outcomes["server"] = f"failed: {error}"
    for check, outcome in outcomes.items():
        print(f"  {title:<24} {check:<24} {outcome}")
    return all(outcome == "ok" for outcome in outcomes.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=HERE.parent.parent / "build/dev/bin", help="where the programs are")
    parser.add_argument("--work", type=pathlib.Path, help="where ws is installed and logs go; beside --bin unless given")
    arguments = parser.parse_args()
    bin_dir = arguments.bin.resolve()
    work = (arguments.work or bin_dir.parent / "test/interop").resolve()
    logs = work / "logs" / "web"
    try:
        node, root = install(work)
        protoc = shutil.which("protoc")
        if not protoc:
            raise Skipped("no protoc")
        descriptors = describe(protoc, work)
    except Skipped as error:
        print(f"skipped: {error}")
        return 77
    except Failure as error:
        print(f"failed: {error}")
        return 1
    passed = [
        attempt("our client → ws", "ws", [node, root / "server.js", "127.0.0.1:0"], [bin_dir / "interop_web_client"], CHECKS, logs),
        attempt("ws → our protocol", "echo", [bin_dir / "interop_web_echo"], [node, root / "client.js"], SERVER_CHECKS, logs),
        attempt("connect, ws → greeter", "greeter", [bin_dir / "greeter", "--address", "127.0.0.1:0", "--registry", "memory"],
                [node, root / "greeter.js", descriptors], GREETER_CHECKS, logs),
    ]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
