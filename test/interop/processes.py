"""Starts servers and clients. Only processes started here are ended, each by its own handle."""

import os
import pathlib
import re
import subprocess
import time


class Failure(Exception):
    """Something that had to work did not; the message says what."""


def tail(text, lines=8):
    return " | ".join(text.strip().splitlines()[-lines:])


def run(command, timeout, cwd=None, env=None, input=None):
    """Runs a command to its end and returns (status, stdout, stderr); a status of None means that it took too long."""
    try:
        done = subprocess.run([str(part) for part in command], timeout=timeout, cwd=cwd, env=env, input=input,
                              stdin=subprocess.DEVNULL if input is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except subprocess.TimeoutExpired as error:
        return None, (error.stdout or b"").decode(errors="replace"), f"ended after {timeout} s"
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


class Server:
    """A server on a free loopback port, which it names in a line "listening on HOST:PORT". Use as a context manager."""

    def __init__(self, name, command, log_dir):
        self.name = name
        self.command = [str(part) for part in command]
        self.log = pathlib.Path(log_dir) / f"{name}.log"

    def __enter__(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.address = self._wait_for_address()
            self._sockets = self._open_sockets()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _wait_for_address(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            text = self.log.read_text(errors="replace")
            found = re.search(r"listening on (\S+:\d+)", text)
            if found:
                return found[1]
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended with status {self.process.returncode} while starting: {tail(text)}")
            time.sleep(0.02)
        raise Failure(f"{self.name} does not say 'listening on ...' in {self.log}")

    def _open_sockets(self):
        count = 0
        for entry in os.scandir(f"/proc/{self.process.pid}/fd"):
            try:
                count += os.readlink(entry.path).startswith("socket:")
            except OSError:
                pass  # closed meanwhile
        return count

    def _cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check_idle(self):
        """With all clients gone nothing is left of their calls: no connection, nobody at work."""
        busy = sockets = None
        for _ in range(20):
            if self.process.poll() is not None:
                raise Failure(f"ended with status {self.process.returncode}: {tail(self.log.read_text(errors='replace'))}")
            before = self._cpu_seconds()
            time.sleep(0.25)
            busy = self._cpu_seconds() - before
            sockets = self._open_sockets() - self._sockets
            if busy <= 0.05 and sockets <= 0:
                return
        raise Failure(f"5 s after its clients have left: {sockets} connections open, {busy:.2f} s of processor time in 0.25 s")

    def check_stop(self):
        self.process.terminate()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            raise Failure("still runs 10 s after SIGTERM") from None
        if status != 0:
            raise Failure(f"SIGTERM ended it with status {status}: {tail(self.log.read_text(errors='replace'))}")
