"""What browsers speak, for raw.py: gRPC-Web, server-sent events and WebSockets."""

import base64
import hashlib
import json
import re
import struct
import urllib.parse

from raw_connection import GivenUp, Wrong, check_json, framed, ping, ping_json, pong, read_body, read_chunks, read_head

SIZES = (0, 10, 500, 20_000)
GOOD_TRAILERS = framed(b"grpc-status: 0\r\n", 0x80)


def grpc_web(connection, ids, chance, sums):
    """Pipelined calls of Echo and Count, in binary or as text."""
    plan = []
    for id in ids:
        plan.append((id, chance.choice(SIZES), chance.choice((None, 0, 1, 7)), chance.random() < 0.5))
    requests = b""
    for id, size, count, text in plan:
        body = framed(ping(id, size, count or 0))
        if text:
            cut = chance.randint(0, len(body))
            body = base64.b64encode(body[:cut]) + base64.b64encode(body[cut:])
        requests += (b"POST /soak.Soak/%s HTTP/1.1\r\nHost: soak\r\nContent-Type: application/grpc-web%s+proto\r\nX-Grpc-Web: 1\r\n"
                     b"Content-Length: %d\r\n\r\n%s" % (b"Echo" if count is None else b"Count", b"-text" if text else b"", len(body), body))
    if chance.random() < 0.05:
        connection.send(requests[:chance.randint(1, len(requests))])
        raise GivenUp
    connection.send_in_pieces(requests, chance)
    for id, size, count, text in plan:
        status, headers = read_head(connection)
        body = read_body(connection, headers)
        if status != "200":
            raise Wrong(f"gRPC-Web {id}: status {status}, {body[:200]!r}")
        if text:  # pieces of base64, each with its padding
            body = b"".join(base64.b64decode(piece, validate=True) for piece in re.findall(rb"[^=]+={0,2}", body))
        wanted = b"".join(framed(pong(id, size, index)) for index in range(1 if count is None else count)) + GOOD_TRAILERS
        if body != wanted:
            raise Wrong(f"gRPC-Web {id}: {len(body)} bytes that end with {body[-40:]!r} and not {len(wanted)} with {wanted[-40:]!r}")
        sums.add("grpc_web")


def events(connection, ids, chance, sums):
    """Streams of Count, one after the other."""
    for id in ids:
        size, count = chance.choice((0, 10, 500, 2000)), chance.choice((0, 1, 7, 30))
        message = json.dumps(ping_json(id, size, count))
        if chance.random() < 0.5:
            request = f"GET /soak.Soak/Count?message={urllib.parse.quote(message)} HTTP/1.1\r\nHost: soak\r\nAccept: text/event-stream\r\n\r\n"
        else:
            request = ("POST /soak.Soak/Count HTTP/1.1\r\nHost: soak\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
                       f"Content-Length: {len(message)}\r\n\r\n{message}")
        connection.send_in_pieces(request.encode(), chance)
        status, headers = read_head(connection)
        if status != "200" or not headers.get("content-type", "").startswith("text/event-stream"):
            raise Wrong(f"events {id}: status {status}, {read_body(connection, headers)[:200]!r}")
        leaves = chance.randint(0, count) if chance.random() < 0.1 else None
        seen, text, ended = 0, b"", False
        for piece in read_chunks(connection):
            text += piece
            while b"\n\n" in text:
                event, _, text = text.partition(b"\n\n")
                if seen == leaves:
                    raise GivenUp
                seen, ended = check_event(id, size, count, event.decode(), seen, ended)
        if not ended or text:
            raise Wrong(f"events {id}: {seen} of {count} events, then an end without its event, behind {text[-40:]!r}")
        sums.add("events")


def check_event(id, size, count, event, seen, ended):
    """(messages seen, whether the end has come)"""
    fields = dict(line.partition(": ")[::2] for line in event.split("\n") if not line.startswith(":"))
    if not fields:
        return seen, ended
    kind = fields.get("event", "message")
    if ended or kind not in ("message", "end") or (kind == "end") != (seen == count):
        raise Wrong(f"events {id}: {kind} behind {seen} of {count} events: {event[:200]!r}")
    if kind == "end":
        return seen, True
    check_json("events", json.loads(fields["data"]), id, size, seen)
    return seen + 1, False


TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FIN = 0x80


class WebSocket:
    """One call over a WebSocket."""

    def __init__(self, connection, method, binary, chance):
        self.connection, self.binary, self.chance = connection, binary, chance
        self.pings = 0  # that were not answered yet
        key = base64.b64encode(chance.randbytes(16)).decode()
        protocol = chance.choice(("", f"Sec-WebSocket-Protocol: micro.{'proto' if binary else 'json'}\r\n"))
        connection.send_in_pieces((f"GET /soak.Soak/{method} HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                   f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{protocol}\r\n").encode(), chance)
        status, headers = read_head(connection)
        if status != "101":
            raise Wrong(f"WebSocket: status {status}, {read_body(connection, headers)[:200]!r}")
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        if headers.get("sec-websocket-accept") != accept:
            raise Wrong(f"WebSocket: the handshake of another key: {headers}")

    def frame(self, first, payload):
        mask = self.chance.randbytes(4)
        size = len(payload)
        length = bytes([FIN | size]) if size < 126 else struct.pack(">BH" if size < 1 << 16 else ">BQ", FIN | (126 if size < 1 << 16 else 127), size)
        masked = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        return bytes([first]) + length + mask + masked.to_bytes(size, "big")

    def send(self, kind, payload):
        """A message in one to three frames, now and then with a ping between them."""
        cuts = sorted(self.chance.randint(0, len(payload)) for _ in range(self.chance.choice((0, 0, 1, 2))))
        out = b""
        for i, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(payload)])):
            out += self.frame((FIN if i == len(cuts) else 0) | (kind if i == 0 else 0), payload[begin:end])
            if self.chance.random() < 0.1:
                self.pings += 1
                out += self.frame(FIN | PING, b"are you there")
        self.connection.send_in_pieces(out, self.chance)

    def receive(self):
        """(kind, payload) of the next message, or of the close frame."""
        kind, payload = None, b""
        while True:
            first, second = self.connection.take(2)
            if first & 0x70 or second & FIN:
                raise Wrong(f"WebSocket: a frame that begins with {first:#x} {second:#x}")
            size = second
            if size > 125:
                size = int.from_bytes(self.connection.take(2 if size == 126 else 8), "big")
            data, opcode = self.connection.take(size), first & 15
            if opcode == PING:
                self.connection.send(self.frame(FIN | PONG, data))
            elif opcode == PONG:
                self.pings -= 1
                if data != b"are you there" or self.pings < 0:
                    raise Wrong(f"WebSocket: a pong nobody asked for: {data!r}")
            elif opcode == CLOSE:
                return CLOSE, data
            else:
                if (opcode == 0) == (kind is None):
                    raise Wrong(f"WebSocket: opcode {opcode} within a message, or none to go on with")
                kind, payload = kind or opcode, payload + data
                if first & FIN:
                    return kind, payload

    def say(self, id, size, index=0):
        if self.binary:
            self.send(BINARY, ping(id, size, index=index))
        else:
            self.send(TEXT, json.dumps(ping_json(id, size, index=index)).encode())

    def expect(self, id, size, index=0):
        kind, payload = self.receive()
        if kind != (BINARY if self.binary else TEXT):
            raise Wrong(f"WebSocket {id}: kind {kind} instead of message {index}, {payload[:100]!r}")
        if not self.binary:
            check_json("WebSocket", json.loads(payload), id, size, index)
        elif payload != pong(id, size, index):
            raise Wrong(f"WebSocket {id}: another message than number {index}: {payload[:40]!r}...")


def websocket(connection, ids, chance, sums):
    """One call, of Echo or Chat, for the first id: a WebSocket carries no more."""
    id, size = ids[0], chance.choice(SIZES)
    count = chance.choice((None, 0, 1, 5))
    socket = WebSocket(connection, "Echo" if count is None else "Chat", chance.random() < 0.5, chance)
    leaves = chance.randint(0, count) if count is not None and chance.random() < 0.1 else None
    for index in range(1 if count is None else count):
        if index == leaves:
            raise GivenUp
        socket.say(id, size, index)
        socket.expect(id, size, index)
    if count is not None:
        socket.send(TEXT, b"")
    kind, payload = socket.receive()
    if kind != CLOSE or payload[:2] != struct.pack(">H", 1000):
        raise Wrong(f"WebSocket {id}: kind {kind} and {payload[:100]!r} instead of the good end")
    connection.send(socket.frame(FIN | CLOSE, payload[:2]))
    sums.add("websocket")
