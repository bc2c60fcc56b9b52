"""Runs the terminal sessions of a page and compares what comes out: run.py PAGE.md --build DIRECTORY --tool MICRO

A ```console block holds commands ("$ ...") and what they print. "..." at the end of a line stands for the rest of it, as a line of
its own for any lines. Attributes:

    terminal=NAME   the command goes on running there: of its output the lines shown must come, in any order. A later block of
                    that terminal shows what it prints next; a line "^C" interrupts it.
    needs=PROGRAM   left out where that program is not installed

Times, ids and directories differ from run to run and are not compared, nor is the order of a list of nodes. The ports on the page are
replaced by free ones, and the registry is a directory of this run.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from blocks import blocks

PATIENCE = 30  # seconds; only ever spent in full when something is wrong

VARYING = [
    (re.compile(r"\b\d\d:\d\d:\d\d\.\d{3}\b"), "<time>"),
    (re.compile(r"(?<=Date: ).*"), "<date>"),
    (re.compile(r"(?<=X-Request-Id: )[0-9a-f]{32}$"), "<request id>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\bms=[0-9.e+-]+"), "ms=<number>"),
    (re.compile(r"(?<=local registry in )[^\"]*"), "<directory>"),
]


# Nodes are listed in the order of their ids, which are random.
NODES = re.compile(r"127\.0\.0\.1:\d+(?: 127\.0\.0\.1:\d+)+")


def comparable(line):
    line = NODES.sub(lambda m: " ".join(sorted(m[0].split(" "))), line.rstrip("\r"))
    for pattern, name in VARYING:
        line = pattern.sub(name, line)
    return line


def line_matches(wanted, line):
    if wanted.endswith("..."):
        return line.startswith(wanted[:-3])
    return wanted == line


def lines_match(wanted, lines):
    if not wanted:
        return not lines
    if wanted[0] == "...":
        return any(lines_match(wanted[1:], lines[i:]) for i in range(len(lines) + 1))
    return bool(lines) and line_matches(wanted[0], lines[0]) and lines_match(wanted[1:], lines[1:])


class Terminal:
    """A program that goes on running while the page goes on."""

    def __init__(self, command, directory, environment):
        self.command = command
        self.process = subprocess.Popen(["bash", "-c", "exec " + command], cwd=directory, env=environment, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.lines = []  # not yet accounted for
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(comparable(line.rstrip("\n")))
                self.changed.notify_all()

    def expect(self, wanted):
        until = time.monotonic() + PATIENCE
        with self.changed:
            for line in wanted:
                if line == "...":
                    continue
                while (found := next((l for l in self.lines if line_matches(line, l)), None)) is None:
                    if not self.changed.wait(until - time.monotonic()):
                        return f"did not print\n    {line}\n  but\n" + "\n".join("    " + l for l in self.lines)
                self.lines.remove(found)
        return None

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def ended(self):
        """The exit status; programs of others may die of the signal."""
        status = self.process.wait(PATIENCE)
        ours = self.command.startswith(("build/", "micro "))
        return 0 if status == -signal.SIGINT and not ours else status


class Session:
    def __init__(self, directory, environment, ports):
        self.directory = directory
        self.environment = environment
        self.ports = ports
        self.terminals = {}
        self.failures = []
        self.commands = 0

    def with_ports(self, text):
        return re.sub(r"127\.0\.0\.1:(\d+)", lambda m: "127.0.0.1:" + self.ports.get(m[1], m[1]), text)

    def run(self, block):
        name = block.attributes.get("terminal")
        for command, wanted in steps(block):
            wanted = [comparable(self.with_ports(line)) for line in wanted]
            fault = self.in_terminal(name, command, wanted) if name else self.once(command, wanted)
            if fault:
                self.failures.append(f"{block.where}: {command or name}\n  {fault}")

    def in_terminal(self, name, command, wanted):
        self.commands += 1
        if command == "^C":
            terminal = self.terminals.pop(name)
            terminal.interrupt()
            status = terminal.ended()
            return terminal.expect(wanted) or (f"ended with status {status}" if status else None)
        if command:
            self.terminals[name] = Terminal(self.with_ports(command), self.directory, self.environment)
        return self.terminals[name].expect(wanted)

    def once(self, command, wanted):
        self.commands += 1
        done = subprocess.run(["bash", "-c", self.with_ports(command)], cwd=self.directory, env=self.environment, text=True,
                              timeout=PATIENCE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lines = [comparable(line) for line in done.stdout.split("\n")]
        # A reply without a newline at its end leaves the next prompt on its line; the page shows a line all the same.
        if lines[-1] == "":
            lines.pop()
        if lines_match(wanted, lines):
            return None
        show = lambda some: "\n".join("    " + line for line in some)
        return f"status {done.returncode}; the page says\n{show(wanted)}\n  and it was\n{show(lines + done.stderr.splitlines())}"

    def close(self):
        for terminal in self.terminals.values():
            terminal.interrupt()
        for terminal in self.terminals.values():
            status = terminal.ended()
            if status:
                self.failures.append(f"{terminal.command}: ended with status {status}")


def steps(block):
    """(command, lines) for each command; the command is None for lines without one."""
    found = []
    for line in block.lines:
        if line.startswith("$ ") or line == "^C":
            found.append((line.removeprefix("$ "), []))
        else:
            if not found:
                found.append((None, []))
            found[-1][1].append(line)
    return found


def free_ports(names):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    free = sorted(each.getsockname()[1] for each in held)  # in the order of the page, for commands that sort
    for each in held:
        each.close()
    return dict(zip(names, map(str, free)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="where the programs of the page are")
    parser.add_argument("--tool", type=pathlib.Path, required=True, help="the program micro")
    arguments = parser.parse_args()

    console = [block for block in blocks(arguments.page) if block.language == "console"]
    ports = free_ports(sorted({p for block in console for p in re.findall(r"127\.0\.0\.1:(\d+)", block.text)}))
    with tempfile.TemporaryDirectory(prefix="micro-docs.") as scratch:
        directory = pathlib.Path(scratch)
        (directory / "build").symlink_to(arguments.build.resolve())
        (directory / "bin").mkdir()
        (directory / "bin" / "micro").symlink_to(arguments.tool.resolve())
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MICRO_") and "proxy" not in k.lower()}
        environment |= {"PATH": f"{directory / 'bin'}:{os.environ['PATH']}", "NO_COLOR": "1",
                        "MICRO_REGISTRY_ADDRESS": str(directory / "registry")}
        session = Session(directory, environment, ports)
        try:
            for block in console:
                if "needs" not in block.attributes or shutil.which(block.attributes["needs"]):
                    session.run(block)
        finally:
            session.close()
    for failure in session.failures:
        print(failure)
    print(f"{arguments.page.name}: {session.commands} commands, {len(session.failures)} not as written")
    return 1 if session.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
