#!/usr/bin/env python3
"""Calls of every kind through a proxy that gets in their way, and beside it: see README.md.

  run.py [--bin DIR] [--seconds N] [--seed N] [--clients N] [--slow N] [--logs DIR]

Exit status 0 when every answer was right or a clean error, every call ended in time, nothing was left open and the memory of the
programs stayed flat.
"""

import argparse
import json
import os
import pathlib
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "integration"))
from certificates import Authority

PROXIES = 4
PATIENCE = 60
GRACE = 5  # seconds a call may take longer than its deadline, on a machine with other things to do
# Of what a program may grow by from the first fifth of the run to its end: a factor, and what an allocator keeps in any case.
GROWTH, SLACK_KIB = 1.3, 24 * 1024
# After a fifth of a long run everything has happened that makes allocators keep memory: what grows from there is a leak.
LONG, LONG_SLACK_KIB = 120, 8 * 1024


class Failure(Exception):
    pass


class Program:
    """A process whose lines can be waited for; what it writes to standard error is in a file."""

    def __init__(self, name, command, logs):
        self.name = name
        self.log = logs / f"{name}.log"
        with open(self.log, "wb") as errors:
            self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                            text=True)
        self.memory = []  # (seconds since the start, KiB)
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def line(self, timeout):
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise Failure(f"{self.name} says nothing for {timeout:.0f} s") from None
        if line is None:
            status = self.process.wait(PATIENCE)
            raise Failure(f"{self.name} ended with {status}: {self.log.read_text(errors='replace')[-3000:]}")
        return line

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def sample(self, now):
        try:
            for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    self.memory.append((now, int(line.split()[1])))
        except OSError:
            pass  # has ended, which others find

    def finish(self):
        """The exit status."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} does not end") from None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Soak:
    def __init__(self, options, logs, scratch):
        self.options, self.logs, self.scratch = options, logs, scratch
        self.programs = []
        self.faults = []  # found by this test

    def start(self, name, *command):
        program = Program(name, command, self.logs)
        self.programs.append(program)
        return program

    def check(self, good, what):
        if not good:
            self.faults.append(what)
            print(f"FAILED: {what}", flush=True)

    def run(self):
        try:
            self._run()
        except Failure as error:
            self.check(False, str(error))
        finally:
            for program in self.programs:
                program.kill()
        return not self.faults

    def _run(self):
        options = self.options
        authority = Authority(self.scratch)
        server = self.start("server", options.bin / "soak_server", 2, *authority.issue("server"))
        self.address = server.line(PATIENCE).rpartition(" ")[2]
        before = self.counters()
        proxy = self.start("proxy", sys.executable, "-B", HERE / "proxy.py", self.address, options.seed, PROXIES)
        behind = [f"127.0.0.1:{port}" for port in proxy.line(PATIENCE).split()[2:]]

        begun = time.monotonic()
        clients = []
        # Those behind the proxy, every other one by TLS; then two that talk to the server itself, where only what they do themselves
        # may end a call.
        kinds = [(f"client{number}", behind, number % 2 == 1) for number in range(options.clients)]
        kinds += [("direct", [self.address], False), ("secure", [self.address], True)]
        for number, (name, addresses, secure) in enumerate(kinds):
            strict = addresses != behind
            clients.append(self.start(name, options.bin / "soak_client", *(part for each in addresses for part in ("--address", each)),
                                      "--time", f"{options.seconds}s", "--requests", options.requests, "--number", number + 1,
                                      "--seed", options.seed * 1000 + number, "--concurrency", 3 if strict else 16,
                                      "--grace", f"{GRACE * options.slow}s", *(["--strict"] if strict else []),
                                      *(["--authority", authority.pem] if secure else [])))
        raw = self.start("raw", sys.executable, "-B", HERE / "raw.py", options.seconds, options.seed, authority.pem, self.address, *behind)

        self.watch([server, *clients], begun)
        raw_sums = json.loads(raw.line(options.seconds + PATIENCE))
        self.check(raw.finish() == 0, f"raw clients: {raw_sums['errors']}")
        for client in clients:
            while (line := client.line(PATIENCE)) != "done":
                raise Failure(f"{client.name}: {line}")
        proxy.say("calm")
        proxy.line(PATIENCE)
        for client in clients:
            client.say("")
        sums = {}
        for client in clients:
            sums[client.name] = json.loads(client.line(PATIENCE))
            status = client.finish()
            self.check(sums[client.name]["recovered"], f"{client.name} gets no answers though no fault is left")
            self.check(sums[client.name]["wrong"] == 0, f"{client.name}: {sums[client.name]['errors']}")
            self.check(status == 0, f"{client.name} ended with {status}: {client.log.read_text(errors='replace')[-3000:]}")
        proxy.process.stdin.close()
        injected = json.loads(proxy.line(PATIENCE))
        self.check(proxy.finish() == 0, "the proxy failed")

        after = self.wait_until_quiet(before)
        server.process.send_signal(signal.SIGTERM)
        status = server.finish()
        self.check(status == 0, f"the server ended with {status}: {server.log.read_text(errors='replace')[-3000:]}")
        for program in (server, *clients):
            self.check_memory(program)
        self.check_effort(sums, raw_sums, injected, after)
        self.report(sums, raw_sums, injected, after, (server, *clients))

    def watch(self, programs, begun):
        """Takes samples of memory while the clients work."""
        while (now := time.monotonic() - begun) < self.options.seconds:
            for program in programs:
                program.sample(now)
                if program.process.poll() is not None:
                    output = "; ".join(iter(lambda p=program: p._lines.get() or "", ""))
                    raise Failure(f"{program.name} ended with {program.process.returncode} in the middle: {output} "
                                  f"{program.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.25)

    def counters(self):
        with urllib.request.urlopen(f"http://{self.address}/counters", timeout=PATIENCE) as answer:
            return json.load(answer)

    def wait_until_quiet(self, before):
        """With all clients gone, only the one who asks is left."""
        for _ in range(100):
            after = self.counters()
            if all(after[name] == before[name] for name in ("open_calls", "open_connections")):
                return after
            time.sleep(0.1)
        self.check(False, f"10 s after all clients have left: {after}, in the beginning {before}")
        return after

    def check_memory(self, program):
        seconds = self.options.seconds
        early = [size for now, size in program.memory if seconds * 0.2 <= now <= seconds * 0.4]
        late = [size for now, size in program.memory if now >= seconds * 0.8]
        if not early or not late:
            self.check(False, f"{program.name}: no samples of memory")
            return
        limit = max(early) + LONG_SLACK_KIB if seconds >= LONG else max(early) * GROWTH + SLACK_KIB * self.options.slow
        self.check(max(late) <= limit, f"{program.name} grows: {max(early)} KiB after a fifth of the time, {max(late)} KiB at its end")

    def check_effort(self, sums, raw, injected, after):
        """A test in which nothing happened has not passed."""
        for name, client in sums.items():
            share = client["outcomes"].get("OK", 0) / max(client["calls"], 1)
            self.check(share > (0.3 if name in ("direct", "secure") else 0.1), f"{name}: only {share:.0%} of {client['calls']} calls went well")
            for carrier in ("grpc", "websocket", "events"):
                self.check(client["good"].get(carrier, 0) > 0, f"{name}: no call by {carrier} went well")
        for kind in ("http1", "http2", "grpc_web", "events", "websocket", "garbage", "connections_by_tls", "plain_connections"):
            self.check(raw.get(kind, 0) > 0, f"no {kind} of the raw clients worked")
        self.check(after["failed_tls_handshakes"] > 0, "no handshake of TLS failed")
        for fault in ("delay", "stall", "split", "half_close", "truncate", "reset", "garble"):
            self.check(injected.get(fault, 0) > 0 or self.options.seconds < 10, f"the proxy never did {fault}")

    def report(self, sums, raw, injected, after, programs):
        print(f"\nseed {self.options.seed}, {self.options.seconds} s")
        for name, client in sums.items():
            outcomes = ", ".join(f"{count} {code}" for code, count in client["outcomes"].items())
            carriers = ", ".join(f"{count} {carrier}" for carrier, count in client["good"].items())
            print(f"  {name:<9} {client['calls']} calls: {outcomes} ({carriers}); {client['retries']} retries, {client['connects']} connects, "
                  f"the latest ended {client['latest_ms']:.0f} ms after its deadline")
        print(f"  raw       {', '.join(f'{count} {what}' for what, count in raw.items() if what != 'errors')}")
        print(f"  proxy     {', '.join(f'{count} {what}' for what, count in injected.items())}")
        print(f"  server    {', '.join(f'{count} {what}' for what, count in after.items())}")
        for program in programs:
            sizes = [size for _, size in program.memory]
            quarter = max(len(sizes) // 4, 1)
            print(f"  memory    {program.name:<9} at most {max(sizes[quarter:2 * quarter] or sizes) / 1024:.1f} MiB in the second quarter, "
                  f"{max(sizes[-quarter:]) / 1024:.1f} MiB in the last")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/dev/bin", help="where the programs of this build are")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=1_000_000, help="at most so many calls of one client")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 10**6))
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--slow", type=int, default=1, help="factor for programs built with sanitizers")
    parser.add_argument("--logs", type=pathlib.Path, help="where the programs write what they have to say")
    options = parser.parse_args()
    options.bin = options.bin.resolve()
    # Freed memory is kept from use for a while by the address sanitizer: no more of it than the growth that is allowed.
    os.environ["ASAN_OPTIONS"] = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=16")))
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="micro-soak-") as scratch:
        logs = options.logs or pathlib.Path(scratch)
        logs.mkdir(parents=True, exist_ok=True)
        good = Soak(options, logs, scratch).run()
    print("passed" if good else f"failed; again: run.py --seed {options.seed} --seconds {options.seconds}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
