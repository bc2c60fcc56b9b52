#!/usr/bin/env python3
"""Attacks by peers that stream over WebSockets and server-sent events."""

import contextlib
import itertools
import struct
import time
import zlib

import harness

CHAT = "/greeter.Greeter/Chat"
CONTINUATION, TEXT, CLOSE, PING = 0, 1, 8, 9


def ws_frame(opcode, payload=b"", final=True, packed=False):
    """Masked with zeros, which change nothing."""
    head = bytes([final << 7 | packed << 6 | opcode])
    if len(payload) < 126:
        head += bytes([128 | len(payload)])
    elif len(payload) < 1 << 16:
        head += struct.pack(">BH", 128 | 126, len(payload))
    else:
        head += struct.pack(">BQ", 128 | 127, len(payload))
    return head + bytes(4) + payload


class Web(harness.AttackTest):
    def websocket(self, path=CHAT, extensions="", **options):
        connection = harness.connect(self.address, **options)
        connection.sendall((f"GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{extensions}\r\n").encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
        self.assertRegex(answer, rb"^HTTP/1.1 101 ")
        return connection

    def close_code(self, data):
        """Of the close frame in what the server sent, which sends no frame of more than 64 KiB here."""
        while len(data) >= 2:
            size, at = data[1], 2
            if size == 126:
                size, at = int.from_bytes(data[2:4], "big"), 4
            if data[0] & 15 == CLOSE:
                return int.from_bytes(data[at:at + 2], "big")
            data = data[at + size:]
        return None

    def flood(self, name, chunks, code, rss=32, count=5, **options):
        """Each connection sends until it is refused, and has been told `code`."""
        for attack in self.attack(name, rss=rss):
            for _ in range(count):
                with self.websocket(**options) as connection:
                    with contextlib.suppress(OSError):
                        for chunk in itertools.islice(chunks(), 200000):
                            connection.sendall(chunk)
                    self.assertEqual(self.close_code(harness.read_to_end(connection)), code)
            attack.outcome = f"{count} closed with {code}"

    def test_fragments_without_end(self):
        piece = ws_frame(CONTINUATION, b"x" * 16384, final=False)
        self.flood("WebSocket: a message of fragments without end, 5 connections",
                   lambda: itertools.chain([ws_frame(TEXT, b"x", final=False)], itertools.repeat(piece)), 1009, rss=64)

    def test_empty_fragments(self):
        piece = ws_frame(CONTINUATION, final=False) * 10
        self.flood("WebSocket: empty fragments without end, 5 connections",
                   lambda: itertools.chain([ws_frame(TEXT, b"x", final=False)], itertools.repeat(piece)), 1009)

    def test_length_that_lies(self):
        self.flood("WebSocket: a frame of 1 TB, 5 connections", lambda: [struct.pack(">BBQ", 129, 255, 1 << 40) + bytes(4)], 1009)

    def test_deflate_bomb(self):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush(zlib.Z_SYNC_FLUSH)
        self.flood("WebSocket: a message of 250 KB that is 256 MiB of zeros, 5 connections",
                   lambda: [ws_frame(TEXT, bomb[:-4], packed=True)], 1009, rss=64,
                   extensions="Sec-WebSocket-Extensions: permessage-deflate\r\n")

    def test_not_masked(self):
        self.flood("WebSocket: frames without a mask, 5 connections", lambda: [b"\x81\x01x"], 1002)

    def test_message_that_trickles(self):
        # DEADLINE_EXCEEDED is 4.
        for attack in self.attack("WebSocket: a message a byte at a time, 100 connections", rss=24):
            connections = [self.websocket() for _ in range(100)]
            for connection in connections:
                connection.sendall(ws_frame(TEXT, b"x", final=False))
                connection.settimeout(0)
            said, left = {connection: b"" for connection in connections}, set(connections)
            deadline = time.monotonic() + harness.cluster.PATIENCE
            while left:
                self.assertLess(time.monotonic(), deadline, f"{len(left)} are still open")
                time.sleep(0.05)  # slower than min_transfer_rate
                for connection in list(left):
                    try:
                        connection.send(ws_frame(CONTINUATION, b"x", final=False))
                        piece = connection.recv(4096)
                    except BlockingIOError:
                        continue
                    except ConnectionError:
                        piece = b""
                    said[connection] += piece
                    if not piece:
                        left.discard(connection)
            for connection in connections:
                connection.close()
            self.assertEqual({self.close_code(text) for text in said.values()}, {4004})
            attack.outcome = "100 closed with 4004"

    def unread(self, name, chunks, rss):
        """What comes back is not read: the server stops reading, then closes."""
        for attack in self.attack(name, rss=rss):
            sent = 0
            for _ in range(5):
                with self.websocket(buffer=4096) as connection:
                    with contextlib.suppress(ConnectionError):
                        for chunk in itertools.islice(chunks(), 200000):
                            connection.sendall(chunk)
                            sent += len(chunk)
                        self.fail("the server takes what it is sent without end")
            attack.outcome = f"5 cut off after {sent // 5 >> 10} KiB"

    def test_pings_unread(self):
        self.unread("WebSocket: PING flood, PONGs not read, 5 connections", lambda: itertools.repeat(ws_frame(PING, b"x" * 125) * 100), 32)

    def test_messages_unread(self):
        message = ws_frame(TEXT, b'{"text":"' + b"x" * 16000 + b'"}')
        self.unread("WebSocket: messages without end, answers not read, 5 connections", lambda: itertools.repeat(message), 64)

    def test_events_unread(self):
        body = b'{"from":2000000000}'
        request = (f"POST /greeter.Greeter/Countdown HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
                   ).encode() + body
        for attack in self.attack("server-sent events without end, not read, 20 connections", rss=64):
            connections = [harness.connect(self.address, buffer=4096) for _ in range(20)]
            for connection in connections:
                connection.sendall(request)
            for connection in connections:
                # Closed by write_timeout: what is left to read ends soon.
                self.wait_until(lambda c=connection: self.gone(c), "the server writes on")
                connection.close()
            attack.outcome = "20 cut off"

    @staticmethod
    def gone(connection):
        """Whether the server has closed it, without reading: it no longer takes what is sent."""
        try:
            connection.send(b"\r")
        except ConnectionError:
            return True
        return False


if __name__ == "__main__":
    harness.main("web")
