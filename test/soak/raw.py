#!/usr/bin/env python3
"""Clients without a library: raw.py SECONDS SEED DIRECT PROXY... (addresses HOST:PORT)

HTTP/1.1 with pipelined JSON calls, HTTP/2 with gRPC calls on several streams, and sockets that speak nonsense, for so many seconds.
Half of the calls go to the server itself, where nothing may fail. Prints sums as JSON; "wrong" lists what must not happen.
"""

import collections
import json
import random
import socket
import struct
import sys
import threading
import time

PATIENCE = 20  # of a client that talks to the server itself
IMPATIENCE = 2  # of one behind the proxy, which stalls


class Lost(Exception):
    """The connection ended early, or was silent for too long."""


class GivenUp(Exception):
    """This client leaves by itself."""


class Wrong(Exception):
    """What no fault excuses."""


class Sums:
    def __init__(self):
        self._lock = threading.Lock()
        self.counts = collections.Counter()
        self.wrong = []

    def add(self, what, count=1):
        with self._lock:
            self.counts[what] += count

    def complain(self, what):
        with self._lock:
            self.counts["wrong"] += 1
            if len(self.wrong) < 10:
                self.wrong.append(what)


def text_of(id, size):
    """As in text.hpp."""
    return "".join(f"{id}.{i};" for i in range(size // (len(str(id)) + 3) + 1))[:size]


class Connection:
    def __init__(self, address, patience):
        host, _, port = address.rpartition(":")
        try:
            self.socket = socket.create_connection((host, int(port)), timeout=patience)
        except OSError as error:
            raise Lost from error
        self.buffer = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Lost from error

    def send_in_pieces(self, data, chance):
        while data:
            cut = chance.randint(1, len(data))
            self.send(data[:cut])
            data = data[cut:]

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            raise Lost from error
        if not data:
            raise Lost
        self.buffer += data

    def take(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def take_until(self, end):
        while end not in self.buffer:
            self._more()
        data, _, self.buffer = self.buffer.partition(end)
        return data


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
        head = connection.take_until(b"\r\n\r\n").decode()
        status = head.split()[1]
        length = next((int(line.split(":")[1]) for line in head.lower().splitlines() if line.startswith("content-length:")), None)
        if length is None:
            raise Wrong(f"HTTP/1.1 answer without content-length: {head!r}")
        body = connection.take(length)
        if status != "200":
            raise Wrong(f"HTTP/1.1 {id}: status {status}, {body[:200]!r}")
        answer = json.loads(body)
        if int(answer["id"]) != id or answer.get("text", "") != text_of(id, sizes[id]):
            raise Wrong(f"HTTP/1.1 {id}: the answer is that of {answer['id']}, or has another text")
        sums.add("http1")


# HTTP/2 with nothing of HPACK but literals (RFC 7541, section 6.2.2); the header blocks that come back are not read.

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
WINDOW = 1 << 24


def frame(type, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([type, flags]) + struct.pack(">I", stream) + payload


def header_block(fields):
    return b"".join(b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields)


REQUEST = header_block([(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/soak.Soak/Echo"), (b":authority", b"soak"),
                        (b"te", b"trailers"), (b"content-type", b"application/grpc")])


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def message(id, size):
    text = text_of(id, size).encode()
    body = b"\x08" + varint(id) + b"\x12" + varint(len(text)) + text + b"\x18" + varint(size)
    return b"\0" + struct.pack(">I", len(body)) + body


def answer(id, size):
    text = text_of(id, size).encode()
    body = b"\x08" + varint(id) + (b"\x12" + varint(len(text)) + text if text else b"")
    return b"\0" + struct.pack(">I", len(body)) + body


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
            data = message(id, size)
            self.credit -= len(data)
            stream, self.next_stream = self.next_stream, self.next_stream + 2
            wanted[stream], streams[stream] = answer(id, size), b""
            cut = chance.randint(0, len(data))
            out.append([frame(HEADERS, END_HEADERS, stream, REQUEST), frame(DATA, 0, stream, data[:cut]),
                        frame(DATA, END_STREAM, stream, data[cut:])])
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


def garbage(connection, chance):
    """Says what no client says, looks on for a moment and leaves, one way or another."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    noise = chance.randbytes(chance.randint(0, 3000))
    frames = b"".join(frame(chance.randint(0, 12), chance.randint(0, 255), chance.choice((0, 1, 3, 1 << 31)),
                            chance.randbytes(chance.randint(0, 60))) for _ in range(20))
    connection.send(chance.choice((
        b"", noise, preface[:chance.randint(1, 24)], preface + noise, preface + frame(SETTINGS, 0, 0) + frames,
        preface + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, REQUEST) + frame(DATA, 0, 1, b"\0\0\xff\xff\xff" + noise),
        b"\x16\x03\x01" + noise, b"POST /soak.Soak/Echo HTTP/1.1\r\nContent-Length: 99999\r\n\r\n{",
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

    def __init__(self, kind, end, seed, address, direct, sums):
        super().__init__()
        Worker.numbers += 1
        self.number = Worker.numbers
        self.kind, self.end, self.address, self.direct, self.sums = kind, end, address, direct, sums
        self.chance = random.Random(f"{seed}/raw/{self.number}")
        self.next_id = 10**15 + self.number * 10**10

    def ids(self):
        count = self.chance.randint(1, 8)
        self.next_id += count
        return range(self.next_id - count, self.next_id)

    def run(self):
        while time.monotonic() < self.end:
            connection = None
            try:
                connection = Connection(self.address, PATIENCE if self.direct else IMPATIENCE)
                self.use(connection)
            except GivenUp:
                self.sums.add("given_up")
            except Lost:
                self.sums.add("lost")
                if self.direct and self.kind != "garbage":
                    self.sums.complain(f"{self.kind}: the server itself closed the connection or was silent for {PATIENCE} s")
            except Wrong as error:
                self.sums.complain(str(error))
            except Exception as error:  # a thread that ends silently would prove nothing
                self.sums.complain(f"{self.kind}: {error!r}")
            finally:
                if connection:
                    connection.close()
            time.sleep(self.chance.uniform(0, 0.02))

    def use(self, connection):
        if self.kind == "garbage":
            garbage(connection, self.chance)
            self.sums.add("garbage")
            return
        session = Http2(connection) if self.kind == "http2" else None
        for _ in range(self.chance.randint(1, 20)):
            if session:
                session.batch(self.ids(), self.chance, self.sums)
            else:
                http1(connection, self.ids(), self.chance, self.sums)
            time.sleep(self.chance.uniform(0, 0.02))


def main(seconds, seed, direct, proxies):
    sums = Sums()
    end = time.monotonic() + seconds
    plan = [(kind, address, address == direct) for kind in ("http1", "http2") for address in (direct, *proxies)]
    plan += [("garbage", direct, True)] * 2
    workers = [Worker(kind, end, seed, address, strict, sums) for kind, address, strict in plan]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps({**sums.counts, "errors": sums.wrong}), flush=True)
    return 1 if sums.wrong else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
