"""Starts the programs of the framework as processes of their own, and looks at what they say."""

import argparse
import atexit
import http.client
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

# Longer than anything takes on a loaded machine; reached only when something is wrong.
PATIENCE = 30
SLOW = 1  # factor for programs built with sanitizers
BIN = None


def main(module="__main__"):
    """Parses --bin and runs the tests of `module`."""
    global BIN, SLOW
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="directory of the programs")
    parser.add_argument("--slow", type=int, default=1, help="divide the size of loads by this")
    options, rest = parser.parse_known_args()
    BIN, SLOW = os.path.abspath(options.bin), options.slow
    unittest.main(module, argv=[sys.argv[0], *rest], verbosity=2)


class Process:
    """A program; its lines, of both outputs, are kept and can be waited for."""

    def __init__(self, name, *arguments, env=None):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MICRO_")}
        self.name = name
        self.command = [os.path.join(BIN, name), *arguments]
        self.lines = []
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**clean, **(env or {})})
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        atexit.register(self.kill)

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def text(self):
        return "\n".join(self.lines)

    def matches(self, pattern):
        return [m for m in (re.search(pattern, line) for line in self.lines) if m]

    def wait_line(self, pattern, count=1, timeout=PATIENCE):
        """Waits for the `count`-th line that matches; returns the match."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self.matches(pattern)) >= count, timeout)
        found = self.matches(pattern)
        if len(found) < count:
            raise AssertionError(f"{self.command}: not {count} lines match {pattern!r}:\n{self.text()}")
        return found[count - 1]

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE):
        """The exit status."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command} does not end:\n{self.text()}") from None
        self._reader.join(PATIENCE)
        return status

    def running(self):
        return self.process.poll() is None

    def kill(self):
        if self.running():
            self.process.kill()
            self.process.wait()


def run(name, *arguments, env=None, timeout=PATIENCE, **options):
    """Runs a program to its end: .returncode, .stdout, .stderr."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MICRO_")}
    return subprocess.run([os.path.join(BIN, name), *arguments], capture_output=True, text=True, env={**clean, **(env or {})},
                          timeout=timeout, **options)


class Load:
    """greeter_load under way."""

    def __init__(self, where, *arguments):
        """`where`: flags that name the registry."""
        self.process = Process("greeter_load", *where, *arguments)

    def wait_for_thousands(self, count):
        self.process.wait_line(r"^progress ", count)

    def wait_for_more(self):
        """Until a thousand calls were made from now on, or so."""
        self.wait_for_thousands(sum(line.startswith("progress ") for line in self.process.lines) + 2)

    def finish(self):
        self.process.process.stdin.close()
        status = self.process.wait()
        if status != 0:
            raise AssertionError(f"greeter_load: exit status {status}:\n{self.process.text()}")
        return json.loads(self.process.lines[-1])


class HttpLoad:
    """h2load against a gateway, run after run until finish(): HTTP/2 and HTTP/1.1 in turn."""

    def __init__(self, address, path, body, at_least):
        self.counts = {"total": 0, "2xx": 0, "failed": 0}
        self.output = []
        self._command = ["h2load", "-c8", "-m4", f"-n{max(2000 // SLOW, 200)}", "-H", "content-type: application/json"]
        self._at_least = at_least
        self._enough = threading.Event()
        self._runs = queue.Queue()
        self._body = tempfile.NamedTemporaryFile("w", suffix=".json")
        self._body.write(body)
        self._body.flush()
        self._url = f"http://{address}{path}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        runs = 0
        while self.counts["total"] < self._at_least or not self._enough.is_set():
            version = [] if runs % 2 == 0 else ["--h1"]
            done = subprocess.run([*self._command, *version, "-d", self._body.name, self._url], capture_output=True, text=True)
            text = done.stdout + done.stderr
            total = re.search(r"requests: (\d+) total, .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
            codes = re.search(r"status codes: (\d+) 2xx", text)
            if done.returncode != 0 or not total or not codes:
                self.output.append(text)
                break
            self.counts["total"] += int(total[1])
            self.counts["failed"] += int(total[1]) - int(total[2])
            self.counts["2xx"] += int(codes[1])
            if int(total[1]) != int(total[2]):
                self.output.append(text)
            runs += 1
            self._runs.put(runs)
        self._runs.put(None)

    def wait_for_runs(self, count=1):
        for _ in range(count):
            if self._runs.get(timeout=PATIENCE) is None:
                raise AssertionError("h2load: " + "\n".join(self.output))

    def wait_for_more(self):
        while not self._runs.empty():
            self._runs.get()
        self.wait_for_runs(2)

    def finish(self):
        self._enough.set()
        self._thread.join(2 * PATIENCE)
        if self.counts["total"] == 0:
            raise AssertionError("h2load: " + "\n".join(self.output))
        return self.counts


class ClusterTest(unittest.TestCase):
    """A test with a registry directory of its own. Programs it leaves behind are ended."""

    def setUp(self):
        self.registry = tempfile.mkdtemp(prefix="micro-test-")
        self.addCleanup(shutil.rmtree, self.registry, ignore_errors=True)

    def where(self):
        """The flags that name the registry."""
        return ["--registry_address", self.registry]

    def start(self, name, *arguments, address="127.0.0.1:0", env=None):
        process = Process(name, *arguments, "--address", address, *self.where(), env=env)
        self.addCleanup(process.kill)
        return process

    def node(self, name="greeter", *arguments, address="127.0.0.1:0", env=None):
        """A node that is in the registry; .address tells where it listens."""
        process = self.start(name, "--loops", "1", *arguments, address=address, env=env)
        process.address = process.wait_line(r"registered \S+ at (\S+)")[1]
        return process

    def gateway(self, *arguments):
        process = self.start("micro", "gateway", "--loops", "1", *arguments)
        process.address = process.wait_line(r"registered gateway at (\S+)")[1]
        return process

    def load(self, *arguments):
        load = Load(self.where(), *arguments)
        self.addCleanup(load.process.kill)
        return load

    def micro(self, *arguments, **options):
        return run("micro", *arguments, *self.where(), **options)

    def listed(self, service="greeter"):
        """The addresses `micro services` shows."""
        for line in self.micro("services").stdout.splitlines()[1:]:
            name, _, *addresses = line.split()
            if name == service:
                return sorted(addresses)
        return []

    def terminate(self, process, status=0):
        process.signal(signal.SIGTERM)
        self.assertEqual(process.wait(), status, process.text())

    def post(self, address, path, body, headers=None, timeout=PATIENCE):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection(address, timeout=timeout)
        try:
            connection.request("POST", path, body, {"content-type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def assert_alive(self, node, path="/greeter.Greeter/Hello"):
        status, _, body = self.post(node.address, path, '{"name":"John"}')
        self.assertEqual(status, 200, body)
