#!/usr/bin/env python3
"""Proves that the framework's web client works with a WebSocket server that is not ours, the npm package ws.

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


def install(work):
    """The command that starts the server."""
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
    return [node, root / "server.js", "127.0.0.1:0"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=HERE.parent.parent / "build/dev/bin", help="where the programs are")
    parser.add_argument("--work", type=pathlib.Path, help="where ws is installed and logs go; beside --bin unless given")
    arguments = parser.parse_args()
    bin_dir = arguments.bin.resolve()
    work = (arguments.work or bin_dir.parent / "test/interop").resolve()
    try:
        command = install(work)
    except Skipped as error:
        print(f"skipped: {error}")
        return 77
    try:
        with Server("ws", command, work / "logs" / "web") as server:
            status, out, err = run([bin_dir / "interop_web_client", server.address, *CHECKS], 120)
            said = dict(re.findall(r"^(\w+): (.*)$", out, re.M))
            outcomes = {check: said.get(check, f"failed: did not run, the client ended with {status}: {tail(err)}") for check in CHECKS}
            try:
                server.check_idle()
                outcomes["idle"] = "ok"
            except Failure as error:
                outcomes["idle"] = f"failed: {error}"
    except Failure as error:
        print(f"failed: {error}")
        return 1
    for check, outcome in outcomes.items():
        print(f"  {check:<20} {outcome}")
    return 0 if all(outcome == "ok" for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
