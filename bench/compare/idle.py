"""The idle suite: resident memory of a server by the number of its connections, each of which has served one request."""

import socket

from servers import Failure

COUNTS = [1000, 8000]
TARGET_KIB = 4  # of our own server
PEERS = ("grpc++ callback", "grpc-go")  # which it is compared with
GRPC = ["floor", "micro", "grpc++ callback", "grpc-go"]
HTTP = ["net/http", "nginx"]


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def text(value):
    return bytes([len(value)]) + value


def grpc_request(address):
    """Preface, SETTINGS, one Hello. HPACK literals without indexing."""
    message = b"\x0a\x04John"
    block = (b"\x83\x86" + b"\x04" + text(b"/greeter.Greeter/Hello") + b"\x01" + text(address.encode()) + b"\x0f\x10" + text(b"application/grpc")
             + b"\x00" + text(b"te") + text(b"trailers"))
    return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(4, 1, 0, b"") + frame(1, 4, 1, block)
            + frame(0, 1, 1, b"\0" + len(message).to_bytes(4, "big") + message))


def http_request(address):
    return f"POST /greeter.Greeter/Hello HTTP/1.1\r\nHost: {address}\r\nContent-Length: 15\r\n\r\n".encode() + b'{"name":"John"}'


def answered(data, grpc):
    """Whether the whole answer has come: for gRPC, a frame of stream 1 that ends it."""
    if not grpc:
        return b"message" in data
    while len(data) >= 9:
        length = int.from_bytes(data[:3], "big")
        if data[3] == 1 and data[4] & 1 and int.from_bytes(data[5:9], "big") == 1:
            return len(data) >= 9 + length
        data = data[9 + length:]
    return False


def open_connections(server, count, grpc, held):
    host, port = server.address.split(":")
    request = (grpc_request if grpc else http_request)(server.address)
    while len(held) < count:
        batch = []
        for _ in range(min(100, count - len(held))):
            connection = socket.create_connection((host, int(port)), 10)
            connection.sendall(request)
            batch.append(connection)
        for connection in batch:
            data = b""
            while not answered(data, grpc):
                more = connection.recv(65536)
                if not more:
                    raise Failure(f"{server.name} closed an idle connection: {data[:200]}")
                data += more
        held += batch


def run(chosen, running, progress):
    samples = []
    for name in (name for name in [*GRPC, *HTTP] if name in chosen.servers):
        server = running(name, fresh=True)
        held, grpc = [], name in GRPC
        try:
            open_connections(server, 1, grpc, held)
            base = server.resident_kib()
            for count in COUNTS:
                open_connections(server, count, grpc, held)
                kib = (server.resident_kib() - base) / count
                samples.append({"suite": "idle", "server": name, "scenario": str(count), "kib": kib, "base_kib": base})
                progress(f"idle      {name:16} {count} connections: {kib:.1f} KiB each above {base} KiB")
        finally:
            for connection in held:
                connection.close()
    return samples
