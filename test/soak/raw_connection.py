"""What the clients without a library share: a socket that is read in pieces, with or without TLS, and sums of what happened."""

import collections
import socket
import ssl
import threading


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


def contexts(authority):
    """TLS by what is offered with ALPN."""
    made = {}
    for protocol in ("h2", "http/1.1", None):
        made[protocol] = ssl.create_default_context(cafile=authority)
        if protocol:
            made[protocol].set_alpn_protocols([protocol])
    return made


class Connection:
    def __init__(self, address, patience, tls=None):
        host, _, port = address.rpartition(":")
        try:
            self.socket = socket.create_connection((host, int(port)), timeout=patience)
        except OSError as error:
            raise Lost from error
        self.buffer = b""
        if tls:
            try:
                self.socket = tls.wrap_socket(self.socket, server_hostname=host)
            except OSError as error:
                self.close()
                raise Lost from error

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


def read_head(connection):
    """(status, headers) of an HTTP/1.1 answer."""
    status, *lines = connection.take_until(b"\r\n\r\n").decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return status.split()[1], headers


def read_chunks(connection):
    """The pieces of a chunked body."""
    while size := int(connection.take_until(b"\r\n").partition(b";")[0], 16):
        yield connection.take(size)
        if connection.take(2) != b"\r\n":
            raise Wrong("HTTP/1.1: a chunk without an end")
    if connection.take_until(b"\r\n"):
        raise Wrong("HTTP/1.1: trailers where none are expected")


def read_body(connection, headers):
    if headers.get("transfer-encoding") == "chunked":
        return b"".join(read_chunks(connection))
    if "content-length" not in headers:
        raise Wrong(f"HTTP/1.1 answer without a length: {headers}")
    return connection.take(int(headers["content-length"]))


# Protocol buffers, as much as Ping and Pong need.


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def framed(body, flags=0):
    return bytes([flags]) + len(body).to_bytes(4, "big") + body


def ping(id, size, count=0, index=0):
    text = text_of(id, size).encode()
    return (b"\x08" + varint(id) + b"\x12" + varint(len(text)) + text + b"\x18" + varint(size) + b"\x28" + varint(count)
            + b"\x30" + varint(index))


def pong(id, size, index=0):
    """As the server writes it: without fields that are zero."""
    text = text_of(id, size).encode()
    return (b"\x08" + varint(id) + (b"\x12" + varint(len(text)) + text if text else b"")
            + (b"\x18" + varint(index) if index else b""))


def ping_json(id, size, count=0, index=0):
    return {"id": str(id), "text": text_of(id, size), "replySize": size, "count": count, "index": index}


def check_json(what, answer, id, size, index=0):
    if int(answer.get("id", 0)) != id or answer.get("text", "") != text_of(id, size) or int(answer.get("index", 0)) != index:
        raise Wrong(f"{what} {id}, message {index}: the answer is that of {answer.get('id')}, {answer.get('index')}, or has another text")
