"""As much of HTTP/2 and gRPC as an attacker needs: frames by hand, header blocks without compression, answers not decoded."""

import re
import struct

import harness

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_TABLE = struct.pack(">HI", 1, 0)  # a setting: header blocks of the server refer to nothing that was sent before


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A field without indexing and without Huffman coding (RFC 7541, section 6.2.2)."""
    def text(data):
        size = bytes([len(data)]) if len(data) < 127 else bytes([127, (len(data) - 127) & 127 | 128, (len(data) - 127) >> 7])
        return size + data
    return b"\0" + text(name.encode()) + text(value.encode())


def grpc_headers(path, **more):
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "a", "te": "trailers",
              "content-type": "application/grpc", **{name.replace("_", "-"): value for name, value in more.items()}}
    return b"".join(literal(name, value) for name, value in fields.items())


def message(payload, compressed=False):
    return struct.pack(">BI", compressed, len(payload)) + payload


def data_frames(stream, payload, end=True):
    pieces = [payload[i:i + 16384] for i in range(0, len(payload), 16384)] or [b""]
    return b"".join(frame(DATA, END_STREAM if end and i == len(pieces) - 1 else 0, stream, piece) for i, piece in enumerate(pieces))


def kinds(data):
    """The kinds of the frames in `data`, in order."""
    found = []
    while len(data) >= 9:
        found.append(data[3])
        data = data[9 + int.from_bytes(data[:3], "big"):]
    return found


def grpc_status(payload):
    """Of trailers as a server of ours writes them without a table: the name with Huffman coding, the value one digit."""
    found = re.search(rb"\x88\x9a\xca\xc8\xb2\x12\x34\xda\x8f\x01(\d)", payload or b"")
    return int(found[1]) if found else None


class Connection:
    def __init__(self, address, settings=b"", **options):
        self.socket = harness.connect(address, **options)
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0, settings))
        self._buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def frames(self):
        """(kind, flags, stream, payload) of each frame until the server closes; settings and pings are acknowledged."""
        while True:
            while len(self._buffer) < 9 or len(self._buffer) < 9 + int.from_bytes(self._buffer[:3], "big"):
                try:
                    piece = self.socket.recv(65536)
                except ConnectionError:
                    piece = b""
                if not piece:
                    return
                self._buffer += piece
            size = int.from_bytes(self._buffer[:3], "big")
            kind, flags, stream = struct.unpack(">BBI", self._buffer[3:9])
            payload, self._buffer = self._buffer[9:9 + size], self._buffer[9 + size:]
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.send(frame(kind, ACK, 0, payload if kind == PING else b""))
            yield kind, flags, stream, payload

    def wait_end(self, stream):
        """The payloads of the stream's frames until its end, joined; None when the connection ends first."""
        seen = b""
        for kind, flags, number, payload in self.frames():
            if number != stream:
                continue
            seen += payload
            if kind == RST_STREAM or kind in (DATA, HEADERS) and flags & END_STREAM:
                return seen
        return None

    def close(self):
        self.socket.close()
