#!/usr/bin/env python3
"""Attacks on the handshake of TLS, and by peers that have finished it."""

import contextlib
import itertools
import shutil
import ssl
import struct
import tempfile

import h2
import harness
from certificates import Authority
from http2_frames import GET, headers, ping, rst_stream, streams

LIMITS = {**harness.LIMITS, "tls_handshake_timeout": "1s"}


def client_hello():
    """As OpenSSL writes it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


class Tls(harness.AttackTest):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.mkdtemp(prefix="micro-attack-")
        cls.addClassCleanup(shutil.rmtree, cls.files, ignore_errors=True)
        cls.authority = Authority(cls.files)
        certificate, key = cls.authority.issue("greeter")
        cls.limits = {**LIMITS, "tls_cert": certificate, "tls_key": key}
        super().setUpClass()

    def open(self, count, first):
        connections = [harness.connect(self.address) for _ in range(count)]
        for connection in connections:
            connection.sendall(first)
        return connections

    def secure(self):
        context = ssl.create_default_context(cafile=self.authority.pem)
        context.set_alpn_protocols(["h2"])
        return context.wrap_socket(harness.connect(self.address), server_hostname="localhost", suppress_ragged_eofs=True)

    def stalled(self, name, first, count):
        for attack in self.attack(name, rss=64):
            for connection in self.open(count, first):
                with connection:
                    harness.read_to_end(connection)
            attack.outcome = f"{count} closed"

    def test_half_a_hello(self):
        self.stalled("half a ClientHello, 300 connections", client_hello()[:100], 300)

    def test_handshake_that_stalls(self):
        self.stalled("a ClientHello and nothing more, 300 connections", client_hello(), 300)

    def test_trickling_hello(self):
        for attack in self.attack("a ClientHello a byte at a time, 100 connections", rss=32):
            connections = self.open(100, b"\x16")
            left = set(connections)
            hello = client_hello()
            for i in itertools.count(1):
                for connection in list(left):
                    connection.settimeout(0)
                    try:
                        connection.send(hello[i % len(hello):][:1])
                        if not connection.recv(4096):
                            left.discard(connection)
                    except BlockingIOError:
                        pass
                    except ConnectionError:
                        left.discard(connection)
                if not left:
                    break
            for connection in connections:
                connection.close()
            attack.outcome = "100 closed"

    def test_records_of_nonsense(self):
        record = b"\x16\x03\x01\x40\x00" + b"\x01\x00\x3f\xfc" + bytes(16380)
        for attack in self.attack("a ClientHello of 16 KiB of zeros, 300 connections", rss=32):
            answers = []
            for connection in self.open(300, record):
                with connection:
                    answers.append(harness.read_to_end(connection))
            # Alerts, all of them fatal.
            self.assertEqual({answer[:1] + answer[5:6] for answer in answers}, {b"\x15\x02"})
            attack.outcome = "300 x fatal alert"

    def test_handshakes_without_end(self):
        for attack in self.attack("200 handshakes, each dropped when it is complete", rss=32):
            for _ in range(200):
                self.secure().close()
            attack.outcome = "accepted and forgotten"

    def flood(self, name, chunks, why):
        """Sent and answered inside TLS."""
        for attack in self.attack(name, rss=32):
            with self.secure() as connection:
                connection.sendall(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0) + h2.frame(h2.SETTINGS, h2.ACK, 0))
                with contextlib.suppress(OSError):
                    for chunk in itertools.islice(chunks(), 100000):
                        connection.sendall(chunk)
                answer = b""
                with contextlib.suppress(OSError):
                    while piece := connection.recv(65536):
                        answer += piece
            self.assertIn(why, answer)
            attack.outcome = "ENHANCE_YOUR_CALM"

    def test_rapid_reset(self):
        self.flood("rapid reset inside TLS",
                   lambda: (b"".join(headers(n, GET, end=False) + rst_stream(n) for n in range(first, first + 200, 2))
                            for first in range(1, 1 << 20, 200)), b"too many streams reset")

    def test_ping_flood(self):
        self.flood("PING flood inside TLS", lambda: itertools.repeat(ping() * 100), b"too many frames")

    def test_answers_not_read(self):
        for attack in self.attack("answers without end inside TLS, not read, 5 connections", rss=120):
            for _ in range(5):
                with self.secure() as connection:
                    connection.sendall(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0, struct.pack(">HI", 4, 0x7fffffff)) +
                                       h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7fff0000 - 65535)))
                    connection.settimeout(2)
                    with contextlib.suppress(OSError):
                        for n in itertools.islice(streams(), 5000):
                            connection.sendall(h2.frame(h2.HEADERS, h2.END_HEADERS, n, h2.grpc_headers("/greeter.Greeter/Hello")) +
                                               h2.data_frames(n, h2.message(b"\x0a\x80\x80\x01" + b"x" * 16384)))
                        self.fail("the server takes 80 MB of calls whose answers nobody reads")
            attack.outcome = "5 connections: no more is read, or closed"


if __name__ == "__main__":
    harness.main("tls")
