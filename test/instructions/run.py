#!/usr/bin/env python3
"""Counts the instructions of one call of the greeter and holds them to a bound: see README.md."""

import argparse
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

SKIPPED = 77
FEW, MANY = 500, 3000

# name -> (arguments of h2load, bound). Measured with the dev build: see README.md for what the bounds mean.
CALLS = {
    "gRPC, unary, 100 at a time": (["-m", "100", "-d", "{grpc}", "-H", "content-type: application/grpc", "-H", "te: trailers"], 12_000),
    "HTTP/1.1, JSON": (["--h1", "-d", "{json}", "-H", "content-type: application/json"], 24_000),
}


def start(command, log):
    """Starts the server and returns it with its port, read from what it says."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = None
    for line in server.stderr:
        log.append(line)
        found = re.search(r"listening on .*:(\d+)", line)
        if found:
            break
    if not found:
        server.wait()
        sys.exit("the server did not start:\n" + "".join(log))
    threading.Thread(target=lambda: log.extend(server.stderr), daemon=True).start()
    return server, found[1]


def count(greeter, work, arguments, calls):
    """The instructions of a whole run of the server that answers so many calls."""
    out, log = work / f"callgrind.{calls}", []
    server, port = start(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", greeter, "--address", "127.0.0.1:0", "--registry",
                          "memory", "--loops", "1"], log)
    try:
        load = subprocess.run(["h2load", "-c", "1", "-n", str(calls), *arguments, f"http://127.0.0.1:{port}/greeter.Greeter/Hello"],
                              capture_output=True, text=True, timeout=300)
        if f"{calls} succeeded" not in load.stdout or f"{calls} 2xx" not in load.stdout:
            sys.exit(f"not every call was answered:\n{load.stdout}{load.stderr}")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    total = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)
    return int(total[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/dev/bin"), help="where greeter is (%(default)s)")
    chosen = parser.parse_args()
    for program in ("valgrind", "h2load", "strip"):
        if not shutil.which(program):
            print(f"skipped: no {program}")
            return SKIPPED
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        subprocess.run(["strip", "-g", "-o", work / "greeter", chosen.bin / "greeter"], check=True)
        (work / "hello.json").write_text('{"name":"John Smith"}')
        (work / "hello.bin").write_bytes(b"\0\0\0\0\x0c\x0a\x0aJohn Smith")
        for name, (arguments, bound) in CALLS.items():
            filled = [argument.format(grpc=work / "hello.bin", json=work / "hello.json") for argument in arguments]
            cost = (count(work / "greeter", work, filled, MANY) - count(work / "greeter", work, filled, FEW)) / (MANY - FEW)
            verdict = "ok" if cost <= bound else "too many"
            failed |= cost > bound
            print(f"{name}: {cost:.0f} instructions a call, at most {bound}: {verdict}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
