"""HTTP/2 frames by hand, right or wrong, and an attacker that sends them without end and sees what becomes of it."""

import collections
import selectors
import struct
import time

import harness

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 1, 3, 4
NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = 0, 1, 3, 5, 7, 8, 9
ENHANCE_YOUR_CALM = 11
MAX_STREAM = MAX_WINDOW = 2**31 - 1


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def ping(payload=b"12345678"):
    return frame(PING, 0, 0, payload)


def priority(stream):
    return frame(PRIORITY, 0, stream, struct.pack(">IB", 0, 15))


def string(data):
    """Without Huffman coding (RFC 7541, section 5.2)."""
    size, head = len(data), b""
    if size < 127:
        head = bytes([size])
    else:
        size, head = size - 127, b"\x7f"
        while size >= 128:
            head += bytes([size & 127 | 128])
            size >>= 7
        head += bytes([size])
    return head + data


def field(name, value, kind=0x00):
    """`kind`: 0x00 without indexing, 0x40 into the dynamic table."""
    return bytes([kind]) + string(name) + string(value)


def block(*fields):
    return b"".join(field(name, value) for name, value in fields)


GET = block((b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a"))
HELLO = block((b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/greeter.Greeter/Hello"), (b":authority", b"a"),
              (b"te", b"trailers"), (b"content-type", b"application/grpc"))
COUNTDOWN = HELLO.replace(b"\x16/greeter.Greeter/Hello", b"\x1a/greeter.Greeter/Countdown")


def headers(stream, header_block, end=True):
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, header_block)


def data(stream, payload, end=True):
    pieces = [payload[at:at + 16384] for at in range(0, len(payload), 16384)] or [b""]
    return b"".join(frame(DATA, END_STREAM if end and at == len(pieces) - 1 else 0, stream, piece) for at, piece in enumerate(pieces))


def varint(number):
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def hello(stream, name=b"x"):
    """A whole call; its reply is as long as `name`."""
    message = b"\x0a" + varint(len(name)) + name
    return headers(stream, HELLO, end=False) + data(stream, struct.pack(">BI", 0, len(message)) + message)


def countdown(stream, start):
    """A call whose reply is `start` messages."""
    message = b"\x08" + varint(start)
    return headers(stream, COUNTDOWN, end=False) + data(stream, struct.pack(">BI", 0, len(message)) + message)


def streams(first=1):
    """The numbers of streams in turn."""
    while True:
        yield first
        first += 2


class Attacker:
    """A connection past the exchange of SETTINGS. Attributes tell what the server has said so far."""

    def __init__(self, address, *pairs, acknowledge=True):
        self.socket = harness.connect(address)
        self.socket.setblocking(False)
        self.frames = collections.Counter()   # by kind
        self.resets = collections.Counter()   # by error code
        self.data_bytes = 0
        self.goaway = None                    # (error code, debug data)
        self.closed = False
        self._buffer = bytearray()
        self.play([PREFACE + settings(*pairs)])
        self.read_until(lambda: self.frames[SETTINGS] >= 2)  # theirs and the acknowledgement of ours
        if acknowledge:
            self.play([frame(SETTINGS, ACK, 0)])

    def play(self, chunks, reading=True, seconds=harness.cluster.PATIENCE):
        """Sends the chunks until they end, the server has had enough, or it takes nothing more for a second. Reads meanwhile, if
        `reading`. Returns how many chunks went out whole, and how many bytes."""
        chunks = iter(chunks)
        selector = selectors.DefaultSelector()
        events = selectors.EVENT_WRITE | (selectors.EVENT_READ if reading else 0)
        selector.register(self.socket, events)
        pending, count, total = memoryview(b""), -1, 0
        deadline = time.monotonic() + seconds
        while not self.closed and self.goaway is None and time.monotonic() < deadline:
            if not pending:
                count += 1
                pending = memoryview(next(chunks, b""))
                if not pending:
                    break
            ready = selector.select(1)
            if not ready:
                break
            if ready[0][1] & selectors.EVENT_READ:
                self._read()
            if ready[0][1] & selectors.EVENT_WRITE:
                try:
                    sent = self.socket.send(pending)
                except BlockingIOError:
                    continue
                except ConnectionError:
                    break
                total += sent
                pending = pending[sent:]
        selector.close()
        return max(count, 0), total

    def read_until(self, condition=lambda: False, seconds=harness.cluster.PATIENCE):
        """Reads until the condition is true or the server has closed; fails when neither happens in time."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            while not self.closed and not condition():
                if time.monotonic() > deadline:
                    raise AssertionError(f"nothing came of it: {dict(self.frames)}, GOAWAY {self.goaway}")
                if selector.select(0.5):
                    self._read()

    def _read(self):
        try:
            piece = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except ConnectionError:
            piece = b""
        if not piece:
            self.closed = True
            return
        self._buffer += piece
        at = 0
        while len(self._buffer) - at >= 9:
            end = at + 9 + int.from_bytes(self._buffer[at:at + 3], "big")
            if end > len(self._buffer):
                break
            self._take(self._buffer[at + 3], bytes(self._buffer[at + 9:end]))
            at = end
        del self._buffer[:at]

    def _take(self, kind, payload):
        self.frames[kind] += 1
        if kind == DATA:
            self.data_bytes += len(payload)
        elif kind == RST_STREAM:
            self.resets[int.from_bytes(payload, "big")] += 1
        elif kind == GOAWAY:
            self.goaway = (int.from_bytes(payload[4:8], "big"), payload[8:].decode())

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
