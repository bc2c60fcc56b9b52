"""A server under attack: starts it, calls it steadily as a well-behaved client, watches its memory, and keeps the table of results.

    class MyAttacks(harness.AttackTest):
        def test_something(self):
            for attack in self.attack("what the attacker does", rss=32):
                ...
                attack.outcome = "what became of it"

    if __name__ == "__main__":
        harness.main("my attacks")

The attacker comes back until the other client has made CALLS calls meanwhile. After that: the process lives, the other client's calls
have all been answered, memory grew by no more than `rss` MiB at any time, and every connection of the attacker is gone.
"""

import argparse
import contextlib
import multiprocessing
import os
import pathlib
import resource
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import cluster  # noqa: E402

ATTACKER = "127.0.0.2"  # the address attackers come from, so that limits by address do not hit the other client
CALLS = 50  # of the other client during each attack, so that their slowest is no accident
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "reference" / "attacks.md"
HEAD = ["attack", "what happened", "RSS before / peak / after, MiB", "other client: calls, p50 / p99, ms"]

# Short, where waiting would be long.
LIMITS = {"loops": "2", "registry": "memory", "drain_timeout": "5m",
          "header_timeout": "1s", "body_timeout": "1s", "write_timeout": "1s", "idle_timeout": "2s",
          "keepalive_time": "1s", "keepalive_timeout": "1s",
          "max_connections": "4000", "max_connections_per_peer": "1000"}

results = []


def connect(address, buffer=None, source=ATTACKER, timeout=cluster.PATIENCE):
    host, port = address.rsplit(":", 1)
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.bind((source, 0))
    connection.settimeout(timeout)
    connection.connect((host, int(port)))
    return connection


def read_to_end(connection):
    """What arrives until the server closes; a reset ends it, too."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            data += piece
    return data


def send_until_refused(connection, data, limit=1 << 30):
    """Sends over and over until the server has had enough (or `limit` bytes); returns how many bytes went out."""
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < limit:
            sent += connection.send(data)
    return sent


class Steady:
    """A client in a process of its own that calls over one connection and, now and then, over a new one."""

    def __init__(self, address, path, key):
        self._pipe, other = multiprocessing.Pipe()
        self.calls = multiprocessing.Value("Q", 0, lock=False)
        self._process = multiprocessing.Process(target=self._run, args=(address, path, key, self.calls, other), daemon=True)
        self._process.start()
        other.close()
        self.take()

    @staticmethod
    def _run(address, path, key, calls, pipe):
        host, port = address.rsplit(":", 1)

        def dial():
            return socket.create_connection((host, int(port)), timeout=cluster.PATIENCE)

        def call(connection, number):
            body = b'{"%s":"%d"}' % (key, number)
            connection.sendall(b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (path, len(body), body))
            answer = b""
            while b"}" not in answer:
                piece = connection.recv(4096)
                if not piece:
                    raise ConnectionError("closed")
                answer += piece
            if not answer.startswith(b"HTTP/1.1 200") or b'%d"}' % number not in answer:
                raise ConnectionError(repr(answer))

        kept, number, times, failures = None, 0, [], []
        while True:
            if pipe.poll():
                pipe.recv()
                pipe.send((times, failures))
                times, failures = [], []
            number += 1
            began = time.monotonic()
            try:
                if number % 20 == 0:
                    with dial() as fresh:
                        call(fresh, number)
                else:
                    kept = kept or dial()
                    call(kept, number)
            except OSError as error:
                failures.append(str(error))
                kept = None
            times.append(time.monotonic() - began)
            calls.value += 1
            time.sleep(0.002)

    def take(self):
        """(times, failures) since the last time it was asked."""
        self._pipe.send(None)
        if not self._pipe.poll(2 * cluster.PATIENCE):
            raise AssertionError("the other client waits for an answer")
        return self._pipe.recv()

    def stop(self):
        self._process.kill()
        self._process.join()
        self._pipe.close()


class Attack:
    outcome = ""


class AttackTest(unittest.TestCase):
    """One server and one steady client for all attacks of a class."""

    program = "greeter"
    limits = LIMITS
    call = (b"/greeter.Greeter/Hello", b"name")  # of the steady client: the path, and the field that comes back

    @classmethod
    def setUpClass(cls):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        flags = [part for name, value in cls.limits.items() for part in (f"--{name}", value)]
        cls.server = cluster.Process(cls.program, "--address", "127.0.0.1:0", *flags)
        cls.address = cls.server.wait_line(r"registered \S+ at (\S+)")[1]
        cls.steady = Steady(cls.address, *cls.call)

    @classmethod
    def tearDownClass(cls):
        cls.steady.stop()
        if cls.server.running():
            # With a call left open this would take --drain_timeout.
            cls.server.signal(15)
            status = cls.server.wait()
            if status != 0:
                raise AssertionError(cls.server.text())

    def memory(self, which):
        with open(f"/proc/{self.server.process.pid}/status") as status:
            for line in status:
                if line.startswith(which + ":"):
                    return int(line.split()[1]) // 1024
        raise AssertionError(f"no {which}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def wait_until(self, condition, what):
        deadline = time.monotonic() + cluster.PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(what)
            time.sleep(0.02)

    def attack(self, name, rss):
        """Round after round; `rss`: how many MiB the server may grow by meanwhile."""
        self.steady.take()
        before, descriptors = self.memory("VmRSS"), self.descriptors()
        with open(f"/proc/{self.server.process.pid}/clear_refs", "w") as peak:
            peak.write("5")
        attack, rounds = Attack(), 0
        enough, deadline = self.steady.calls.value + CALLS, time.monotonic() + cluster.PATIENCE
        while rounds == 0 or self.steady.calls.value < enough and time.monotonic() < deadline:
            rounds += 1
            attack.outcome = ""
            yield attack
            self.assertTrue(attack.outcome, name)
        # The other client may have one connection more just now.
        self.wait_until(lambda: self.descriptors() <= descriptors + 1, f"{name}: connections are left open")
        self.assertTrue(self.server.running(), self.server.text())
        peak, after = self.memory("VmHWM"), self.memory("VmRSS")
        times, failures = self.steady.take()
        while not times:
            times, failures = self.steady.take()
        times.sort()
        p50, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
        outcome = attack.outcome if rounds == 1 else f"{attack.outcome}; {rounds} times"
        results.append([name, outcome, f"{before} / {peak} / {after}", f"{len(times)}, {p50:.1f} / {p99:.1f}"])
        self.assertEqual(failures, [], name)
        if cluster.SLOW == 1:
            self.assertGreaterEqual(len(times), CALLS, f"{name}: the other client had to wait")
            self.assertLessEqual(peak - before, rss, f"{name}: memory grew from {before} to {peak} MiB")


def table():
    rows = [HEAD, *results]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def write_section(page, section, lines):
    """Replaces what stands between the markers of `section` in `page`, which has them."""
    begin, end = f"<!-- {section}:begin -->", f"<!-- {section}:end -->"
    text = page.read_text()
    if begin not in text or end not in text:
        raise SystemExit(f"{page}: no markers {begin} and {end}")
    head, rest = text.split(begin, 1)
    page.write_text(head + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1])


def markdown(head, rows):
    def line(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    return [line(head), "|" + "---|" * len(head), *map(line, rows)]


def main(section):
    """Runs the tests, prints the table and, with --write, puts it into docs/reference/attacks.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="directory of the programs")
    parser.add_argument("--slow", type=int, default=1, help="programs are sanitized: memory is not compared")
    parser.add_argument("--write", action="store_true", help=f"write the results into {PAGE.name}")
    options, rest = parser.parse_known_args()
    cluster.BIN, cluster.SLOW = os.path.abspath(options.bin), options.slow
    done = unittest.main("__main__", argv=[sys.argv[0], *rest], verbosity=2, exit=False).result
    print(table())
    if options.write and done.wasSuccessful():
        write_section(PAGE, section, markdown(HEAD, results))
    raise SystemExit(not done.wasSuccessful())
