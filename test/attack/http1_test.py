"""Sends every row of micro/protocols/http1/testdata/requests.txt to a server, and compares what it makes of it.

A refused request is answered with its status, once, and the connection is closed; what is surfaced is answered in order; nothing that
hides in another request is.
"""

import argparse
import os
import pathlib
import re
import socket
import sys
import unittest

import harness
from harness import cluster

ROOT = pathlib.Path(__file__).parents[2]
TABLE = ROOT / "micro/protocols/http1/testdata/requests.txt"
PAGE = ROOT / "docs/reference/conformance.md"
SENTINEL = b"GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Row:
    def __init__(self, group, what, section):
        self.group, self.what, self.section = group, what, section
        self.bytes, self.expected, self.seen = b"", [], "not sent"

    @property
    def refused(self):
        return self.expected[-1] if self.expected[-1][0].isdigit() else None

    def in_words(self):
        words = {"close": "closed", "more": "waits for more"}
        return "; ".join(words.get(each, each) if not each[0].isdigit() else each.split()[0] for each in self.expected)


def unescape(text):
    plain = {"r": b"\r", "n": b"\n", "t": b"\t", "v": b"\v", "f": b"\f", "0": b"\0"}
    out = b""
    for piece in re.findall(r"\\x..|\\.|[^\\]+", text):
        if piece.startswith("\\x"):
            out += bytes([int(piece[2:], 16)])
        elif piece.startswith("\\"):
            out += plain.get(piece[1], piece[1].encode())
        else:
            out += piece.encode()
    return out


def expand(text):
    out = b""
    for piece in re.split(r"(\{.*?\*\d+\})", text):
        repeated = re.fullmatch(r"\{(.*?)\*(\d+)\}", piece)
        out += unescape(repeated[1]) * int(repeated[2]) if repeated else unescape(piece)
    return out


def rows():
    found, group = [], ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("## "):
            group = line[3:]
        elif line.startswith("["):
            found.append(Row(group, *line[1:].split("] ", 1)))
        elif line.startswith("> "):
            found[-1].bytes += expand(line[2:])
        elif line.startswith("< "):
            found[-1].expected.append(line[2:])
    return found


def split_answers(data, methods):
    """[(status, whole answer)], interim ones left out. `methods` are those of the requests: HEAD has no body."""
    answers = []
    while data:
        head, mark, rest = data.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        if not mark or not status:
            raise AssertionError(f"not an answer: {data[:200]!r}")
        number = int(status[1])
        if number == 100:
            data = rest
            continue
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        method = methods[len(answers)] if len(answers) < len(methods) else ""
        size = 0 if method == "HEAD" else int(length[1])
        answers.append((number, head + mark + rest[:size]))
        data = rest[size:]
    return answers


class Http1Test(unittest.TestCase):
    rows = rows()

    @classmethod
    def setUpClass(cls):
        cls.server = cluster.Process("greeter", "--address", "127.0.0.1:0", "--registry", "memory", "--loops", "1")
        cls.address = cls.server.wait_line(r"registered \S+ at (\S+)")[1]

    @classmethod
    def tearDownClass(cls):
        cls.server.signal(15)
        if cls.server.wait() != 0:
            raise AssertionError(cls.server.text())

    def send(self, row, step):
        connection = harness.connect(self.address, source="127.0.0.1")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = row.bytes
        waits = row.expected[-1] == "more"
        if not row.refused and not waits:
            data += SENTINEL  # so that the end of the answers is known; after "close" it must not be answered
        try:
            for at in range(0, len(data), step):
                connection.sendall(data[at:at + step])
            if waits:
                connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # refused before all of it was sent
        answer = harness.read_to_end(connection)
        connection.close()
        return answer

    def check(self, row, step):
        surfaced = [each for each in row.expected if each not in ("close", "more") and not each[0].isdigit()]
        methods = [each.split()[0] for each in surfaced]
        answers = split_answers(self.send(row, step), methods)
        row.seen = ", ".join(str(status) for status, _ in answers) or "closed"
        statuses = [status for status, _ in answers]
        if row.refused:
            self.assertEqual(statuses[len(surfaced):], [int(row.refused.split()[0])])
            self.assertIn(row.refused.split()[1].encode(), answers[-1][1])
            self.assertRegex(answers[-1][1], rb"(?i)\r\nconnection: close\r\n")
        elif row.expected[-1] == "close" or row.expected[-1] == "more":
            self.assertEqual(len(statuses), len(surfaced))
        else:
            self.assertEqual(len(statuses), len(surfaced) + 1)  # and the one behind it
        for status, text in answers:
            self.assertNotIn(b"/smuggled", text.split(b"GET /smuggled HTTP")[0])

    def test_every_row(self):
        for row in self.rows:
            for step in (len(row.bytes) + len(SENTINEL), 3):
                if len(row.bytes) > 1000 and step == 3:
                    continue
                with self.subTest(what=f"{row.group}: {row.what}", step=step):
                    self.check(row, step)
        self.assertTrue(self.server.running())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--slow", type=int, default=1)
    parser.add_argument("--write", action="store_true", help=f"write the results into {PAGE.name}")
    options, rest = parser.parse_known_args()
    cluster.BIN = os.path.abspath(options.bin)
    done = unittest.main("__main__", argv=[sys.argv[0], *rest], exit=False).result
    table = [[row.group, row.what, row.section, row.in_words(), row.seen] for row in Http1Test.rows]
    for group, what, section, expected, seen in table:
        print(f"{section:18} {group + ': ' + what:70} {expected:40.40} -> {seen}")
    print(f"{len(table)} rows")
    if options.write and done.wasSuccessful():
        lines = ["## HTTP/1.1: requests on which readers could disagree", "",
                 f"The {len(table)} rows of [requests.txt](../../{TABLE.relative_to(ROOT)}), each sent to `greeter` whole and in pieces of 3 "
                 "bytes, and given to the parser whole and in pieces of 1, 2, 3 and 7. A refusal is answered once and the connection closed. A "
                 "request that is surfaced stands with its body; behind the last one a further request is sent, whose 404 shows that the "
                 "connection is in step."]
        for group in dict.fromkeys(row[0] for row in table):
            lines += ["", f"### {group}", ""]
            lines += harness.markdown(["request", "section of RFC 9112", "what must happen", "statuses seen"],
                                      [[row[1], row[2], f"`{row[3]}`", row[4]] for row in table if row[0] == group])
        harness.write_section(PAGE, "http1", lines)
    return 0 if done.wasSuccessful() else 1


if __name__ == "__main__":
    raise SystemExit(main())
