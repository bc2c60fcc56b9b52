"""What a server makes of peers that want to cost it more than their share."""

import contextlib
import os
import random
import re
import resource
import socket
import struct
import threading
import time
import unittest
import zlib

import h2
import harness
from harness import cluster
from http2_frames import varint

HELLO = "/greeter.Greeter/Hello"


def post(body, *headers):
    lines = [f"POST {HELLO} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def hello(size):
    return post(b'{"name":"' + b"x" * size + b'"}')


def trickle(connections, byte):
    """Sends a byte on each, over and over, until the server has closed them all; returns what it said to each."""
    said = [b""] * len(connections)
    left = set(range(len(connections)))
    for connection in connections:
        connection.setblocking(False)
    end = time.monotonic() + cluster.PATIENCE
    while left:
        if time.monotonic() > end:
            raise AssertionError(f"{len(left)} connections are still open")
        for i in list(left):
            with contextlib.suppress(BlockingIOError):
                try:
                    with contextlib.suppress(BrokenPipeError):
                        connections[i].send(byte)
                    piece = connections[i].recv(4096)
                except ConnectionError:
                    piece = b""
                said[i] += piece
                if not piece:
                    left.discard(i)
        time.sleep(0.05)
    for connection in connections:
        connection.close()
    return said


def statuses(answers):
    """"200 x 408" for 200 connections that were answered 408 and closed."""
    counts = {}
    for answer in answers:
        line = re.match(rb"HTTP/1.1 (\d+)", answer)
        counts[line[1].decode() if line else "no answer"] = counts.get(line[1].decode() if line else "no answer", 0) + 1
    return ", ".join(f"{count} x {status}" for status, count in sorted(counts.items())) + ", closed"


class Attacker(harness.AttackTest):
    def open(self, count, first=b"", **options):
        connections = [harness.connect(self.address, **options) for _ in range(count)]
        for connection in connections:
            connection.sendall(first)
        return connections

    def answers(self, connections):
        """What each was told until it was closed."""
        said = []
        for connection in connections:
            with connection:
                said.append(harness.read_to_end(connection))
        return said

    def expect(self, attack, answers, status):
        attack.outcome = statuses(answers)
        self.assertEqual(attack.outcome, f"{len(answers)} x {status}, closed")

    def several(self, count, request):
        """Each of `count` connections sends `request` and reads what comes; in threads, because either side may stop reading."""
        answers = []

        def one():
            with harness.connect(self.address) as connection:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(request)
                answers.append(harness.read_to_end(connection))
        threads = [threading.Thread(target=one) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers


class SlowPeers(Attacker):
    """Peers that take their time, with bytes in either direction."""

    def test_slow_headers(self):
        for attack in self.attack("headers a byte at a time, 300 connections", rss=24):
            self.expect(attack, trickle(self.open(300, b"GET / HTTP/1.1\r\nHost: a\r\nX-A: "), b"x"), "408")

    def test_slow_body(self):
        for attack in self.attack("body a byte at a time, 300 connections", rss=24):
            self.expect(attack, trickle(self.open(300, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"), b"x"), "408")

    def test_slow_chunks(self):
        for attack in self.attack("chunk size line a byte at a time, 300 connections", rss=24):
            first = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;"
            self.expect(attack, trickle(self.open(300, first), b"x"), "408")

    def test_length_that_lies(self):
        for attack in self.attack("Content-Length of 4 MB, nothing sent, 300 connections", rss=24):
            first = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n"
            self.expect(attack, self.answers(self.open(300, first)), "408")

    def test_silent_connections(self):
        for attack in self.attack("connections that say nothing, or half a preface, 600", rss=24):
            self.assertEqual(set(self.answers(self.open(300) + self.open(150, h2.PREFACE[:10]))), {b""})
            answers = self.answers(self.open(150, h2.PREFACE))
            # GOAWAY, because nobody has sent SETTINGS.
            self.assertTrue(all(h2.GOAWAY in h2.kinds(answer) for answer in answers), answers[0])
            attack.outcome = "450 closed, 150 x GOAWAY"

    def test_idle_connections(self):
        for attack in self.attack("connections kept after one request, 500", rss=24):
            self.expect(attack, self.answers(self.open(500, hello(10))), "200")

    def test_large_answers_not_read(self):
        for attack in self.attack("answers of 1 MiB requested, not read, 20 connections", rss=160):
            connections = self.open(20, buffer=4096)
            senders = [threading.Thread(target=harness.send_until_refused, args=(connection, hello(1 << 20)))
                       for connection in connections]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
            attack.outcome = "20 connections cut off"
            for connection in connections:
                connection.close()

    def test_pipeline_not_read(self):
        for attack in self.attack("requests without end, answers not read, 20 connections", rss=48):
            connections = self.open(20, buffer=4096)
            sent = []
            senders = [threading.Thread(target=lambda c=c: sent.append(harness.send_until_refused(c, hello(10) * 100)))
                       for c in connections]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
            attack.outcome = f"20 connections cut off after {sum(sent) // len(sent) // 1024} KiB"
            for connection in connections:
                connection.close()

    def test_answers_without_end_on_http2(self):
        for attack in self.attack("HTTP/2 calls without end, answers not read, 10 connections", rss=120):
            # The window is as large as it gets: only the socket holds the answers back.
            settings = struct.pack(">HI", 4, 0x7fffffff)
            connections = [h2.Connection(self.address, settings=settings, buffer=4096) for _ in range(10)]
            sent = []

            def flood(connection):
                connection.send(h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7fff0000 - 65535)))
                head = h2.frame(h2.HEADERS, h2.END_HEADERS, 0, h2.grpc_headers(HELLO))
                data = h2.data_frames(0, h2.message(b"\x0a\x80\x80\x01" + b"x" * 16384))
                total = 0
                with contextlib.suppress(ConnectionError):
                    for stream in range(1, 1 << 20, 2):
                        number = struct.pack(">I", stream)
                        pieces = data[:5] + number + data[9:9 + 16384] + data[9 + 16384:9 + 16384 + 5] + number + data[9 + 16384 + 9:]
                        connection.send(head[:5] + number + head[9:] + pieces)
                        total += len(head) + len(data)
                sent.append(total)
            threads = [threading.Thread(target=flood, args=(connection,)) for connection in connections]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for connection in connections:
                connection.close()
            attack.outcome = f"10 connections cut off after {sum(sent) // len(sent) // 1024} KiB"

    def test_window_that_stays_shut(self):
        for attack in self.attack("answers of 100 calls held back by a window of 0", rss=64):
            # SETTINGS_INITIAL_WINDOW_SIZE 0
            connection = h2.Connection(self.address, settings=struct.pack(">HI", 4, 0))
            for stream in range(1, 201, 2):
                connection.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.grpc_headers(HELLO)) +
                                h2.data_frames(stream, h2.message(b"\x0a\x80\x80\x01" + b"x" * 16384)))
            reset = set()
            for kind, _, stream, _ in connection.frames():
                if kind == h2.RST_STREAM:
                    reset.add(stream)
                if len(reset) == 100:
                    break
            self.assertEqual(len(reset), 100)
            connection.close()
            attack.outcome = "100 streams reset"

    def test_slow_grpc_requests(self):
        for attack in self.attack("500 unary calls whose messages never come", rss=24):
            connection = h2.Connection(self.address)
            for stream in range(1, 1001, 2):
                connection.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.grpc_headers(HELLO)) +
                                h2.data_frames(stream, b"\0\0\0", end=False))
            ended = set()
            for kind, _, stream, _ in connection.frames():
                if kind == h2.RST_STREAM:
                    ended.add(stream)
                if len(ended) == 500:
                    break
            self.assertEqual(len(ended), 500)
            connection.close()
            attack.outcome = "500 x DEADLINE_EXCEEDED, the connection stays"

    def test_dead_callers(self):
        for attack in self.attack("100 streaming calls of peers that no longer answer", rss=24):
            connections = [h2.Connection(self.address) for _ in range(100)]
            for connection in connections:
                connection.send(h2.frame(h2.SETTINGS, h2.ACK, 0) +
                                h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.grpc_headers("/greeter.Greeter/Chat")))
            for connection in connections:
                kinds = h2.kinds(harness.read_to_end(connection.socket))
                connection.close()
                self.assertIn(h2.PING, kinds)
            attack.outcome = "100 x PING, then closed"


class Floods(Attacker):
    """Connections by the thousand."""

    limits = {**harness.LIMITS, "header_timeout": "30s"}

    def test_connection_flood(self):
        for attack in self.attack("3000 connections from one address, limit 1000", rss=48):
            connections = self.open(3000)
            refused = set()

            def look():
                for connection in connections:
                    with contextlib.suppress(BlockingIOError):
                        try:
                            if not connection.recv(1):
                                refused.add(connection)
                        except ConnectionError:
                            refused.add(connection)
                return len(refused) >= 2000

            for connection in connections:
                connection.setblocking(False)
            self.wait_until(look, "not all connections beyond the limit are refused")
            look()
            attack.outcome = f"{len(refused)} refused at once"
            for connection in connections:
                connection.close()
            self.assertEqual(len(refused), 2000)

    def test_connections_without_end(self):
        for attack in self.attack("5000 connections, each closed at once", rss=24):
            for _ in range(5000):
                harness.connect(self.address).close()
            attack.outcome = "accepted and forgotten"

    def test_resets(self):
        # A server that is slow to look finds the first 100 KB of 375 requests waiting.
        for attack in self.attack("1500 resets in the middle of requests and answers", rss=64):
            requests = [hello(1000)[:100], hello(100000), h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0) +
                        h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.grpc_headers(HELLO)), hello(10) * 50]
            for i in range(1500):
                connection = harness.connect(self.address)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.setblocking(False)
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    connection.send(requests[i % len(requests)])
                connection.close()
            attack.outcome = "forgotten"

    def test_garbage(self):
        for attack in self.attack("random bytes, 500 connections", rss=24):
            chance = random.Random(7)
            answers = []
            for i in range(500):
                with harness.connect(self.address) as connection:
                    first = h2.PREFACE if i % 3 == 0 else b""
                    with contextlib.suppress(OSError):  # refused already: also ENOTCONN
                        connection.sendall(first + chance.randbytes(chance.randrange(1, 5000)))
                        connection.shutdown(socket.SHUT_WR)
                    answers.append(harness.read_to_end(connection))
            attack.outcome = "refused, closed"
            self.assertFalse([a for a in answers if a.startswith(b"HTTP/1.1 2")])


class Sizes(Attacker):
    """Sizes that lie, have no end, or unfold."""

    def test_huge_header(self):
        for attack in self.attack("a header of 10 MiB, 20 connections", rss=24):
            self.expect(attack, self.several(20, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (10 << 20)), "431")

    def test_many_headers(self):
        for attack in self.attack("100,000 headers, 20 connections", rss=24):
            self.expect(attack, self.several(20, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A:\r\n" * 100000), "431")

    def test_huge_target(self):
        for attack in self.attack("a request line of 10 MiB, 20 connections", rss=24):
            self.expect(attack, self.several(20, b"GET /" + b"x" * (10 << 20)), "414")

    def test_huge_length(self):
        for attack in self.attack("Content-Length of 1 TB, 100 connections", rss=16):
            self.expect(attack, self.several(100, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\nx"), "413")

    def test_endless_chunks(self):
        for attack in self.attack("chunks without end, 20 connections", rss=200):
            head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            self.expect(attack, self.several(20, head + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 100), "413")

    def test_endless_extensions(self):
        for attack in self.attack("chunk extensions without end, 20 connections", rss=24):
            head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            self.expect(attack, self.several(20, head + b"1;" + b"x" * (1 << 20)), "400")

    def test_small_chunks_with_extensions(self):
        for attack in self.attack("a byte of body in each chunk line of 200, 20 connections", rss=24):
            head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            self.expect(attack, self.several(20, head + (b"1;" + b"x" * 196 + b"\r\nx\r\n") * 20000), "400")

    def test_endless_trailers(self):
        for attack in self.attack("trailers without end, 20 connections", rss=24):
            head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            self.expect(attack, self.several(20, head + b"A:\r\n" * 200000), "431")

    def test_gzip_bomb(self):
        for attack in self.attack("gRPC message of 250 KB that is 256 MiB of zeros, 10 calls", rss=64):
            packer = zlib.compressobj(9, zlib.DEFLATED, 31)
            bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
            connection = h2.Connection(self.address, settings=h2.NO_TABLE)
            for stream in range(1, 21, 2):
                connection.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.grpc_headers(HELLO, grpc_encoding="gzip")) +
                                h2.data_frames(stream, h2.message(bomb, True)))
                answer = connection.wait_end(stream)
                self.assertEqual(h2.grpc_status(answer), 8)
            connection.close()
            attack.outcome = "10 x RESOURCE_EXHAUSTED, the connection stays"

    def test_gzip_bomb_on_http1(self):
        for attack in self.attack("the same as Content-Encoding of HTTP/1.1", rss=24):
            bomb = zlib.compress(bytes(64 << 20), 9)
            request = post(bomb, "Content-Encoding: gzip", "Content-Type: application/json", "Connection: close")
            answers = self.several(10, request)
            attack.outcome = statuses(answers)
            for answer in answers:
                self.assertRegex(answer, rb"^HTTP/1.1 4(00|13|15) ")

    def test_nested_protobuf(self):
        for attack in self.attack("protobuf: 500,000 groups inside each other, 20 calls", rss=40):
            connection = h2.Connection(self.address, settings=h2.NO_TABLE)
            for stream in range(1, 41, 2):
                connection.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.grpc_headers(HELLO)) +
                                h2.data_frames(stream, h2.message(b"\x7b" * 500000)))
                answer = connection.wait_end(stream)
                self.assertEqual(h2.grpc_status(answer), 3)
            connection.close()
            attack.outcome = "20 x INVALID_ARGUMENT, the connection stays"

    def refused_json(self, name, body, pattern, rss=40):
        for attack in self.attack(name, rss=rss):
            answers = self.several(5, post(body, "Connection: close"))
            attack.outcome = statuses(answers)
            for answer in answers:
                self.assertRegex(answer, rb"(?s)^HTTP/1.1 400 .*" + pattern)

    def test_nested_json(self):
        self.refused_json("JSON: 1 MB of [", b"[" * 1000000, b"expected an object")

    def test_nested_json_in_a_field(self):
        self.refused_json("JSON: a field of 1 MB of [", b'{"name":' + b"[" * 1000000, b"expected a string")

    def test_huge_number(self):
        self.refused_json("JSON: a number of 1 MB", b'{"name":1' + b"0" * 1000000 + b"}", b"expected a string")

    def test_unknown_fields(self):
        fields = b",".join(b'"k%d":0' % i for i in range(100000))
        self.refused_json("JSON: 100,000 unknown fields", b"{" + fields + b"}", b"k0")

    def test_repeated_fields(self):
        self.refused_json("JSON: a field given 100,000 times", b"{" + b'"name":"x",' * 100000 + b'"name":"x"}', b"twice")


class Nesting(Attacker):
    """Messages that may be nested, nested too deep."""

    program = "trouble"
    call = (b"/trouble.Trouble/Echo", b"text")
    path = "/trouble.Trouble/Hold"

    def post(self, body):
        return f"POST {self.path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body

    def test_nested_as_deep_as_allowed(self):
        body = b'{"a":' * 20 + b"1" + b"}" * 20
        for answer in self.several(2, self.post(body)):
            self.assertRegex(answer, rb"^HTTP/1.1 200 ")

    def test_nested_json(self):
        for kind, body in (("objects", b'{"a":' * 200000), ("arrays", b'{"a":' + b"[" * 1000000)):
            for attack in self.attack(f"JSON: {len(body) >> 10} KiB of {kind} inside each other", rss=40):
                answers = self.several(5, self.post(body))
                attack.outcome = statuses(answers)
                for answer in answers:
                    self.assertRegex(answer, rb"(?s)^HTTP/1.1 400 .*nested")

    def test_nested_protobuf(self):
        # A Struct in a Value in a Struct, from the inside out.
        message = b""
        while len(message) < 100000:
            value = b"\x2a" + varint(len(message)) + message
            entry = b"\x12" + varint(len(value)) + value
            message = b"\x0a" + varint(len(entry)) + entry
        for attack in self.attack("protobuf: 100 KB of messages inside each other, 20 calls", rss=40):
            connection = h2.Connection(self.address, settings=h2.NO_TABLE)
            for stream in range(1, 41, 2):
                connection.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.grpc_headers(self.path)) +
                                h2.data_frames(stream, h2.message(message)))
                self.assertEqual(h2.grpc_status(connection.wait_end(stream)), 3)
            connection.close()
            attack.outcome = "20 x INVALID_ARGUMENT, the connection stays"


class Patience(harness.AttackTest):
    """What must survive all these limits."""

    def test_a_silent_stream_stays(self):
        connection = h2.Connection(self.address)
        connection.send(h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.grpc_headers("/greeter.Greeter/Chat")))
        # Silent for longer than every limit but for its answers to PINGs.
        pings = 0
        for kind, flags, stream, _ in connection.frames():
            self.assertNotIn(kind, (h2.GOAWAY, h2.RST_STREAM))
            pings += kind == h2.PING and not flags & h2.ACK
            if pings == 4:
                break
        connection.send(h2.data_frames(1, h2.message(b"\x0a\x05hello")))
        self.assertIn(b"you said: hello", connection.wait_end(1))
        connection.close()


class Descriptors(harness.AttackTest):
    """Few descriptors: what the limits leave is used up by others."""

    limits = {**harness.LIMITS, "max_connections": "0"}

    def test_running_out_of_descriptors(self):
        pid = self.server.process.pid
        soft = self.descriptors() + 20
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, soft))
        for attack in self.attack("connections beyond the process's descriptors", rss=16):
            connections = [harness.connect(self.address) for _ in range(60)]
            self.wait_until(lambda: self.descriptors() == soft, "the server has descriptors left")
            last = connections.pop()
            last.sendall(hello(10))
            last.settimeout(0.1)
            with self.assertRaises(TimeoutError):
                last.recv(1)
            for connection in connections:
                connection.close()
            last.settimeout(harness.cluster.PATIENCE)
            self.assertRegex(last.recv(4096), rb"^HTTP/1.1 200 ")
            last.close()
            attack.outcome = "40 waited in the kernel's queue, and were answered then"


if __name__ == "__main__":
    harness.main("server")
