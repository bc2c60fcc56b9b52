#!/usr/bin/env python3
"""Clients without a library: raw.py SECONDS SEED AUTHORITY DIRECT PROXY... (addresses HOST:PORT)

HTTP/1.1 with pipelined JSON calls, HTTP/2 with gRPC and gRPC-Web calls on several streams, gRPC-Web, server-sent events and
WebSockets over HTTP/1.1, and sockets that speak nonsense, for so many seconds; each by TLS, which AUTHORITY (a PEM file) signs
for, as well as without. Some of the calls go to the server itself, where nothing may fail. Prints sums as JSON; "wrong" lists what must
not happen.
"""

import json
import random
import socket
import ssl
import struct
import sys
import threading
import time

import raw_web
from raw_connection import Connection, GivenUp, Lost, Sums, Wrong, check_json, contexts, framed, ping, pong, read_body, read_head, text_of

PATIENCE = 20  # of a client that talks to the server itself
IMPATIENCE = 2  # of one behind the proxy, which stalls
# How often a connection is of this kind.
KINDS = {"http1": 4, "http2": 4, "grpc_web": 3, "events": 3, "websocket": 3}


def http1(connection, ids, chance, sums):
    """A batch of pipelined calls; the answers come in their order."""
    sizes = {id: chance.choice((0, 10, 500, 20_000)) for id in ids}
    requests = b""
    for id in ids:
        body = json.dumps({"id": str(id), "text": text_of(id, sizes[id]), "reply_size": sizes[id]}).encode()
        requests += (b"POST /soak.Soak/Echo HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
                     b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    if chance.random() < 0.05:  # gives up in the middle of a request
        connection.send(requests[:chance.randint(1, len(requests))])
        raise GivenUp
    connection.send_in_pieces(requests, chance)
    for id in ids:
        status, headers = read_head(connection)
        body = read_body(connection, headers)
        if status != "200":
            raise Wrong(f"HTTP/1.1 {id}: status {status}, {body[:200]!r}")
        check_json("HTTP/1.1", json.loads(body), id, sizes[id])
        sums.add("http1")


# HTTP/2 with nothing of HPACK but literals (RFC 7541, section 6.2.2); the header blocks that come back are not read.

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
WINDOW = 1 << 24


def frame(type, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([type, flags]) + struct.pack(">I", stream) + payload


def header_block(fields):
    return b"".join(b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields)


def request(content_type):
    return header_block([(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/soak.Soak/Echo"), (b":authority", b"soak"),
                         (b"te", b"trailers"), (b"content-type", content_type)])


REQUEST, WEB_REQUEST = request(b"application/grpc"), request(b"application/grpc-web")


class Http2:
    def __init__(self, connection):
        self.connection = connection
        self.next_stream = 1
        self.credit = 65535  # what we may send; a batch stays below it
        connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, WINDOW))
                        + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", WINDOW)))

    def batch(self, ids, chance, sums):
        streams, wanted, out = {}, {}, []
        for id in ids:
            size = chance.choice((0, 10, 500, 4000))
            data = framed(ping(id, size))
            web = chance.random() < 0.3
            self.credit -= len(data)
            stream, self.next_stream = self.next_stream, self.next_stream + 2
            wanted[stream], streams[stream] = framed(pong(id, size)) + (raw_web.GOOD_TRAILERS if web else b""), b""
            cut = chance.randint(0, len(data))
            out.append([frame(HEADERS, END_HEADERS, stream, WEB_REQUEST if web else REQUEST),
                        frame(DATA, 0, stream, data[:cut]), frame(DATA, END_STREAM, stream, data[cut:])])
        if self.credit < 0:
            raise GivenUp  # rather than wait for a window
        # Streams begin in order, and then their frames mix.
        sent = b"".join(frames.pop(0) for frames in out)
        while any(out):
            sent += chance.choice([frames for frames in out if frames]).pop(0)
        given_up = chance.choice(list(streams)) if chance.random() < 0.2 else None
        if given_up:
            sent += frame(RST_STREAM, 0, given_up, struct.pack(">I", 8))
            del streams[given_up]
        if chance.random() < 0.2:
            sent += frame(PING, 0, 0, b"12345678")
        self.connection.send_in_pieces(sent, chance)
        while streams:
            self.read(streams, wanted, sums)

    def read(self, streams, wanted, sums):
        head = self.connection.take(9)
        length, type, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        stream = int.from_bytes(head[5:], "big")
        payload = self.connection.take(length)
        if type == SETTINGS and not flags & ACK:
            self.connection.send(frame(SETTINGS, ACK, 0))
        elif type == PING and not flags & ACK:
            self.connection.send(frame(PING, ACK, 0, payload))
        elif type == WINDOW_UPDATE and stream == 0:
            self.credit += int.from_bytes(payload, "big")
        elif type == GOAWAY:
            raise Wrong(f"GOAWAY: {payload!r}")
        elif type == RST_STREAM and stream in streams:
            raise Wrong(f"RST_STREAM {payload!r} on stream {stream}")
        elif type == DATA and stream in streams:
            streams[stream] += payload
            self.connection.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", max(length, 1))))
        if type in (DATA, HEADERS) and flags & END_STREAM and stream in streams:
            if streams.pop(stream) != wanted[stream]:
                raise Wrong(f"HTTP/2 stream {stream}: another answer than {wanted[stream][:40]!r}...")
            sums.add("http2")


def hello():
    """What a client of TLS says first."""
    said = ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), said, server_hostname="soak").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return said.read()


def garbage(connection, chance):
    """Says what no client says, looks on for a moment and leaves, one way or another."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    noise = chance.randbytes(chance.randint(0, 3000))
    frames = b"".join(frame(chance.randint(0, 12), chance.randint(0, 255), chance.choice((0, 1, 3, 1 << 31)),
                            chance.randbytes(chance.randint(0, 60))) for _ in range(20))
    greeting = hello()
    broken = int(len(greeting) * chance.random())
    upgrade = (b"GET /soak.Soak/Chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    web = b"POST /soak.Soak/Count HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web%s\r\nContent-Length: %d\r\n\r\n%s"
    connection.send(chance.choice((
        b"", noise, preface[:chance.randint(1, 24)], preface + noise, preface + frame(SETTINGS, 0, 0) + frames,
        preface + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, REQUEST) + frame(DATA, 0, 1, b"\0\0\xff\xff\xff" + noise),
        b"\x16\x03\x01" + noise, greeting[:broken], greeting[:broken] + noise, greeting + noise,
        b"POST /soak.Soak/Echo HTTP/1.1\r\nContent-Length: 99999\r\n\r\n{", upgrade + noise, upgrade + b"\x81",
        web % (b"", len(noise), noise), web % (b"-text", 5, b"AAAA="),
        b"GET /soak.Soak/Count?message=%7B HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n",
        b"POST /soak.Soak/Echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + noise, b"GET / HTTP/1.1\r\nA: " + b"a" * 100_000,
        b"GET " + noise.replace(b"\n", b"") + b"\r\n\r\n")))
    connection.socket.settimeout(chance.uniform(0.01, 1))
    try:
        while connection.socket.recv(65536):
            pass
    except OSError:
        pass
    if chance.random() < 0.5:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Worker(threading.Thread):
    numbers = 0

    def __init__(self, kinds, end, seed, address, direct, secure, sums):
        super().__init__()
        Worker.numbers += 1
        self.number = Worker.numbers
        self.kinds, self.end, self.address, self.direct, self.secure, self.sums = kinds, end, address, direct, secure, sums
        self.chance = random.Random(f"{seed}/raw/{self.number}")
        self.next_id = 10**15 + self.number * 10**10

    def ids(self):
        count = self.chance.randint(1, 8)
        self.next_id += count
        return range(self.next_id - count, self.next_id)

    def run(self):
        while time.monotonic() < self.end:
            kind = self.chance.choices(list(self.kinds), self.kinds.values())[0]
            secure = self.chance.random() < 0.4
            what = f"{kind}{' by TLS' if secure else ''}"
            connection = None
            try:
                connection = Connection(self.address, PATIENCE if self.direct else IMPATIENCE, self.context(kind) if secure else None)
                self.sums.add("connections_by_tls" if secure else "plain_connections")
                self.use(kind, connection)
            except GivenUp:
                self.sums.add("given_up")
            except Lost as error:
                self.sums.add("lost")
                if self.direct and kind != "garbage":
                    self.sums.complain(f"{what}: the server itself closed the connection or was silent for {PATIENCE} s ({error.__cause__!r})")
            except Wrong as error:
                self.sums.complain(f"{what}: {error}")
            except Exception as error:  # a thread that ends silently would prove nothing
                self.sums.complain(f"{what}: {error!r}")
            finally:
                if connection:
                    connection.close()
            time.sleep(self.chance.uniform(0, 0.02))

    def context(self, kind):
        protocol = "h2" if kind == "http2" else "http/1.1"
        return self.secure[protocol if kind != "garbage" and self.chance.random() < 0.7 else None]

    def use(self, kind, connection):
        if kind == "garbage":
            garbage(connection, self.chance)
            self.sums.add("garbage")
            return
        if kind == "websocket":
            raw_web.websocket(connection, self.ids(), self.chance, self.sums)
            return
        batch = {"http1": http1, "grpc_web": raw_web.grpc_web, "events": raw_web.events}.get(kind)
        if kind == "http2":
            session = Http2(connection)
            batch = lambda _, *rest: session.batch(*rest)
        for _ in range(self.chance.randint(1, 20)):
            batch(connection, self.ids(), self.chance, self.sums)
            time.sleep(self.chance.uniform(0, 0.02))


def main(seconds, seed, authority, direct, proxies):
    sums = Sums()
    end = time.monotonic() + seconds
    secure = contexts(authority)
    plan = [(KINDS, address, address == direct) for _ in range(2) for address in (direct, *proxies)]
    plan += [({"garbage": 1}, direct, True)] * 2
    workers = [Worker(kinds, end, seed, address, strict, secure, sums) for kinds, address, strict in plan]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps({**sums.counts, "errors": sums.wrong}), flush=True)
    return 1 if sums.wrong else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:]))
