#!/usr/bin/env python3
"""Attacks by one HTTP/2 connection on a server of our own: floods, bombs, and peers that ask for much and take nothing."""

import itertools
import struct

import harness
from http2_frames import (ACK, CONTINUATION, DATA, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, GET, GOAWAY, HEADER_TABLE_SIZE,
                          HEADERS, INITIAL_WINDOW_SIZE, MAX_STREAM, MAX_WINDOW, NO_ERROR, PADDED, PING, PRIORITY,
                          PROTOCOL_ERROR, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, Attacker,
                          countdown, data, field, frame, headers, hello, ping, priority, rst_stream, settings, streams,
                          window_update)

LIMITS = {"loops": "2", "registry": "memory"}
RESETS, CONTROL = "too many streams reset", "too many frames that carry nothing"


class Http2(harness.AttackTest):
    limits = LIMITS

    def expect_calm(self, attacker, why, seconds=harness.cluster.PATIENCE):
        """The server has said why it ends the connection, and ends it."""
        attacker.read_until(seconds=seconds)
        self.assertIsNotNone(attacker.goaway, "closed without GOAWAY")
        code, debug = attacker.goaway
        self.assertEqual(code, ENHANCE_YOUR_CALM, debug)
        self.assertIn(why, debug)

    def flood(self, name, chunks, why, most, *pairs, reading=True, rss=16):
        """The attacker is cut off before `most` of what `chunks` gives anew for each connection has gone out."""
        for attack in self.attack(name, rss=rss):
            with Attacker(self.address, *pairs) as attacker:
                count, size = attacker.play(itertools.islice(chunks(), most), reading=reading)
                self.expect_calm(attacker, why)
                self.assertLess(count, most)
                attack.outcome = f"ENHANCE_YOUR_CALM after {count} sends, {size} bytes"


class Resets(Http2):
    def test_rapid_reset(self):
        self.flood("rapid reset (CVE-2023-44487)", lambda: (headers(n, GET, end=False) + rst_stream(n) for n in streams()), RESETS, 100000)

    def test_rapid_reset_of_calls(self):
        # Each call would run for long.
        self.flood("rapid reset of streaming calls", lambda: (countdown(n, 1 << 30) + rst_stream(n) for n in streams()), RESETS, 100000)

    def test_made_you_reset(self):
        # The handler waits for the window of a reply, so that the stream is open when the error comes.
        ways = {
            "WINDOW_UPDATE of 0": lambda n: hello(n) + window_update(n, 0),
            "window overflow": lambda n: countdown(n, 1 << 30) + window_update(n, MAX_WINDOW) * 2,
            "PRIORITY of a wrong length": lambda n: hello(n) + frame(PRIORITY, 0, n, b"1234"),
            "PRIORITY on itself": lambda n: hello(n) + frame(PRIORITY, 0, n, struct.pack(">IB", n, 1)),
            "DATA on a half-closed stream": lambda n: hello(n) + frame(DATA, 0, n, b"x"),
            "HEADERS on a half-closed stream": lambda n: hello(n) + headers(n, GET),
        }
        for way, provoke in ways.items():
            with self.subTest(way):
                self.flood(f"MadeYouReset (CVE-2025-8671): {way}", lambda way=provoke: map(way, streams()), RESETS, 100000,
                           (INITIAL_WINDOW_SIZE, 0))

    def test_malformed(self):
        self.flood("malformed requests", lambda: (headers(n, field(b":method", b"GET")) for n in streams()), RESETS, 100000)

    def test_cancelling_client(self):
        """Not an attack: a client that cancels every second call."""
        for attack in self.attack("a client that cancels every second call", rss=16):
            with Attacker(self.address) as client:
                numbers = streams()
                rounds = (hello(next(numbers)) + headers(n := next(numbers), GET, end=False) + rst_stream(n) for _ in range(5000))
                client.play([window_update(0, 1 << 24)])
                count, _ = client.play(rounds)
                self.assertEqual(count, 5000)
                client.read_until(lambda: client.frames[HEADERS] >= 10000)
                self.assertIsNone(client.goaway)
                attack.outcome = f"served: {count} calls, as many cancelled"


class Frames(Http2):
    def test_ping(self):
        self.flood("PING flood, acknowledgements read (CVE-2019-9512)", lambda: itertools.repeat(ping() * 10), "too many frames", 20000)

    def test_ping_unread(self):
        # What still comes in the second before the server closes is dropped, so that the farewell gets through; that can be much.
        self.flood("PING flood, acknowledgements not read", lambda: itertools.repeat(ping() * 100), "too many frames", 10**7, reading=False)

    def test_settings(self):
        self.flood("SETTINGS flood (CVE-2019-9515)", lambda: itertools.repeat(settings((4, 1), (4, 100)) * 10), "too many frames", 20000)

    def test_long_settings(self):
        self.flood("2730 settings in a frame (CVE-2020-11080)", lambda: itertools.repeat(settings(*[(4, i) for i in range(2730)])),
                   "too many settings", 1000)

    def test_settings_acknowledgements(self):
        self.flood("acknowledgements of no SETTINGS", lambda: itertools.repeat(frame(SETTINGS, ACK, 0) * 10), CONTROL, 20000)

    def test_priority(self):
        self.flood("PRIORITY flood (CVE-2019-9513)", lambda: (priority(n) * 10 for n in streams()), CONTROL, 20000)

    def test_window_update(self):
        self.flood("WINDOW_UPDATE flood", lambda: itertools.repeat(window_update(0, 1) * 10), CONTROL, 20000)

    def test_unknown(self):
        self.flood("frames of unknown types", lambda: itertools.repeat(frame(0xbe, 0, 0) * 10), CONTROL, 20000)

    def test_goaway(self):
        self.flood("GOAWAY flood", lambda: itertools.repeat(frame(GOAWAY, 0, 0, struct.pack(">II", 0, NO_ERROR)) * 10), CONTROL, 20000)

    def test_empty_data(self):
        self.flood("empty DATA (CVE-2019-9518)",
                   lambda: itertools.chain([headers(1, GET, end=False)], itertools.repeat(frame(DATA, 0, 1) * 10)), "too many empty DATA", 20000)

    def test_padding(self):
        padding = frame(DATA, PADDED, 1, b"\xff" + bytes(255)) * 10
        self.flood("DATA of nothing but padding",
                   lambda: itertools.chain([headers(1, GET, end=False)], itertools.repeat(padding)), "too many empty DATA", 20000)

    def test_dribble(self):
        # A reply of 1 MiB, fetched byte by byte.
        self.flood("data dribble (CVE-2019-9511)",
                   lambda: itertools.chain([hello(1, b"x" * (1 << 20))], itertools.repeat(window_update(1, 1))), CONTROL, 100000, (INITIAL_WINDOW_SIZE, 0))


class Headers(Http2):
    def test_continuation(self):
        start = [frame(HEADERS, 0, 1, GET)]
        for name, payload, why in (("empty", b"", "too many CONTINUATION"),
                                   ("large", field(b"x", b"y" * 16000), "header block larger"),
                                   ("of one byte", b"\x82", "too many CONTINUATION")):
            with self.subTest(name):
                more = frame(CONTINUATION, 0, 1, payload)
                self.flood(f"CONTINUATION flood, {name} (CVE-2024-27316)",
                           lambda more=more: itertools.chain(start, itertools.repeat(more)), why, 100000)

    def test_bomb(self):
        # 4 KB into the table, then a byte for each copy of it: 16 KiB stand for 64 MiB.
        bomb = GET + field(b"x", b"v" * 4000, 0x40) + b"\xbe" * 12000
        self.flood("HPACK bomb (CVE-2016-6581)", lambda: (headers(n, bomb) for n in streams()), "a header section expands", 100000)

    def test_small_bombs(self):
        # Each just above the limit of a section (32 KiB), so that only its stream is refused.
        prime = [headers(1, GET + field(b"x", b"v" * 4000, 0x40))]
        self.flood("sections just above the limit",
                   lambda: itertools.chain(prime, (headers(n, GET + b"\xbe" * 9) for n in streams(3))), RESETS, 100000)

    def test_table_updates(self):
        self.flood("dynamic table size updates", lambda: (headers(n, b"\x20" * 1000 + GET) for n in streams()), "dynamic table size updates", 100000)

    def test_table_size_of_the_peer(self):
        """SETTINGS_HEADER_TABLE_SIZE of 4 GiB: the server's own encoder keeps to its 4 KiB."""
        for attack in self.attack("SETTINGS_HEADER_TABLE_SIZE of 4 GiB", rss=16):
            attackers = [Attacker(self.address, (HEADER_TABLE_SIZE, 2**32 - 1)) for _ in range(100)]
            for attacker in attackers:
                attacker.play([settings((HEADER_TABLE_SIZE, 0), (HEADER_TABLE_SIZE, 2**32 - 1)) + headers(1, GET)])
                attacker.read_until(lambda a=attacker: a.frames[HEADERS] == 1)
                self.assertIsNone(attacker.goaway)
                attacker.close()
            attack.outcome = "answered; memory stays"


class Appetite(Http2):
    """Peers that ask for much and take nothing."""

    def test_zero_window(self):
        # Replies of 1 MiB each; the server keeps some 64 MiB of them and refuses the rest.
        for attack in self.attack("100 MiB of replies, window shut", rss=160):
            with Attacker(self.address, (INITIAL_WINDOW_SIZE, 0)) as attacker:
                count, _ = attacker.play(hello(n, b"x" * (1 << 20)) for n in itertools.islice(streams(), 100))
                self.assertEqual(count, 100)
                attacker.read_until(lambda: attacker.frames[HEADERS] + attacker.resets[REFUSED_STREAM] >= 100)
                self.assertIsNone(attacker.goaway)
                self.assertGreater(attacker.resets[REFUSED_STREAM], 20)
                self.assertEqual(attacker.data_bytes, 0)
                attack.outcome = f"{attacker.frames[HEADERS]} calls answered and kept, {attacker.resets[REFUSED_STREAM]} refused"

    def test_zero_windows_of_many(self):
        # What all of them together do not take is limited to 256 MiB.
        for attack in self.attack("480 MiB of replies on 8 connections, windows shut", rss=340):
            attackers = [Attacker(self.address, (INITIAL_WINDOW_SIZE, 0)) for _ in range(8)]
            for attacker in attackers:
                attacker.play(hello(n, b"x" * (1 << 20)) for n in itertools.islice(streams(), 60))
            for attacker in attackers:
                attacker.read_until(lambda a=attacker: a.frames[HEADERS] >= 60)
            closed = [attacker for attacker in attackers if attacker.closed]
            self.assertIn(len(closed), range(3, 6))
            for attacker in attackers:
                self.assertEqual(attacker.data_bytes, 0)
                attacker.close()
            attack.outcome = f"{len(closed)} connections closed, {sum(a.frames[HEADERS] for a in attackers)} calls answered"

    def test_unread_replies(self):
        # Windows wide open and a socket nobody reads.
        for attack in self.attack("200 MiB of replies, socket not read", rss=160):
            with Attacker(self.address, (INITIAL_WINDOW_SIZE, MAX_WINDOW)) as attacker:
                attacker.play([window_update(0, MAX_WINDOW - 65535)])
                count, _ = attacker.play((hello(n, b"x" * (1 << 20)) for n in itertools.islice(streams(), 200)), reading=False)
                attack.outcome = f"{count} calls taken"

    def test_endless_streams_unread(self):
        for attack in self.attack("500 endless streams, socket not read", rss=64):
            with Attacker(self.address, (INITIAL_WINDOW_SIZE, MAX_WINDOW)) as attacker:
                attacker.play([window_update(0, MAX_WINDOW - 65535)])
                attacker.play((countdown(n, 1 << 30) for n in itertools.islice(streams(), 500)), reading=False)
                self.assertIsNone(attacker.goaway)
                attack.outcome = "writers wait"

    def test_more_streams_than_allowed(self):
        for attack in self.attack("2000 streams at once, before SETTINGS are acknowledged", rss=32):
            with Attacker(self.address, acknowledge=False) as attacker:
                attacker.play(headers(n, GET, end=False) for n in itertools.islice(streams(), 2000))
                attacker.read_until(lambda: attacker.resets[REFUSED_STREAM] >= 976)
                self.assertEqual(attacker.resets, {REFUSED_STREAM: 976})
                attack.outcome = "1024 accepted, 976 refused"

    def test_data_to_a_stream_that_is_gone(self):
        # The server resets stream 1; what still comes for it is dropped, and the connection's window given back.
        piece = frame(DATA, 0, 1, bytes(16384))
        for attack in self.attack("64 MiB for a stream that is reset", rss=16):
            with Attacker(self.address) as attacker:
                attacker.play([headers(1, GET, end=False) + window_update(1, 0)])
                attacker.read_until(lambda: attacker.frames[RST_STREAM] == 1)
                attacker.play(itertools.repeat(piece, 4096))
                attacker.play([hello(3) + ping()])
                attacker.read_until(lambda: attacker.frames[PING] >= 1 and attacker.frames[HEADERS] >= 2)
                self.assertIsNone(attacker.goaway)
                self.assertGreater(attacker.frames[WINDOW_UPDATE], 4)
                attack.outcome = "dropped; the next call is answered"


class Numbers(Http2):
    def end(self, name, chunks, code, *pairs):
        for attack in self.attack(name, rss=16):
            with Attacker(self.address, *pairs) as attacker:
                attacker.play(chunks)
                attacker.read_until()
                self.assertEqual(attacker.goaway[0], code, attacker.goaway[1])
                attack.outcome = f"GOAWAY: {attacker.goaway[1]}"

    def test_last_stream(self):
        self.end("a stream after the last number", [hello(MAX_STREAM) + headers(1, GET)], PROTOCOL_ERROR)

    def test_connection_window(self):
        self.end("connection window above 2^31-1", [window_update(0, MAX_WINDOW)], FLOW_CONTROL_ERROR)

    def test_initial_window(self):
        self.end("SETTINGS that lift an open window above 2^31-1",
                 [hello(1, b"x" * 200000) + window_update(1, MAX_WINDOW) + settings((INITIAL_WINDOW_SIZE, 100000))], FLOW_CONTROL_ERROR,
                 (INITIAL_WINDOW_SIZE, 0))

    def test_data_after_the_end(self):
        self.end("DATA on a stream that has ended", [hello(1)] + [frame(DATA, 0, 1, b"x")] * 3000, STREAM_CLOSED)


if __name__ == "__main__":
    harness.main("http2")
