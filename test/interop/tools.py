"""Tools that everybody has: each function is a check against a running greeter and raises Failure."""

import json
import re
import shutil
import struct

from peers import Skipped
from processes import Failure, run, tail

METHOD = "greeter.Greeter/Hello"
JOHN = b'{"name":"John"}'
GREETING = b'{"message":"Hello John"}'
HTTP2 = "--http2-prior-knowledge"


def expect(ok, what):
    if not ok:
        raise Failure(what)


def frame(message):
    """A gRPC message as it travels: not compressed, its size, its bytes."""
    return struct.pack(">BI", 0, len(message)) + message


def text_field(number, text):
    """A protobuf field with a short text."""
    return bytes([number << 3 | 2, len(text)]) + text


class Tools:
    def __init__(self, address, scratch, grpcurl):
        """`grpcurl` gives the program or raises Skipped."""
        self.address, self.scratch, self._grpcurl = address, scratch, grpcurl
        scratch.mkdir(parents=True, exist_ok=True)

    # curl

    def _curl(self, *arguments, path=METHOD, body=JOHN, content_type="application/json", keep_body=True):
        """Returns (what -w wrote, headers and trailers, body)."""
        curl = shutil.which("curl")
        if not curl:
            raise Skipped("no curl")
        headers, out, data = self.scratch / "headers", self.scratch / "body", self.scratch / "data"
        for old in (headers, out):
            old.unlink(missing_ok=True)
        command = [curl, "-sS", "--noproxy", "*", "-o", out if keep_body else "/dev/null", "-D", headers,
                   "-w", r"%{http_version} %{http_code} %{num_connects}\n"]
        if body is not None:
            data.write_bytes(body)
            command += ["-H", f"content-type: {content_type}", "--data-binary", f"@{data}"]
        status, written, err = run([*command, *arguments, f"http://{self.address}/{path}"], 15)
        expect(status == 0, f"curl ended with {status}: {tail(err)}")
        return written, headers.read_text(errors="replace").lower(), out.read_bytes() if out.exists() else b""

    def _hello_json(self, version, *arguments):
        written, headers, body = self._curl(*arguments)
        expect(written.startswith(f"{version} 200"), f"HTTP version and status: {written}")
        expect("content-type: application/json" in headers, f"headers: {headers}")
        expect(json.loads(body) == {"message": "Hello John"}, f"body: {body!r}")

    def curl_http1_json(self):
        self._hello_json("1.1", "--http1.1")

    def curl_http1_chunked(self):
        self._hello_json("1.1", "--http1.1", "-H", "transfer-encoding: chunked")

    def curl_http1_expect_continue(self):
        self._hello_json("1.1", "--http1.1", "-H", "expect: 100-continue")

    def curl_http1_keep_alive(self):
        written, _, _ = self._curl("--http1.1", "-o", self.scratch / "second", f"http://{self.address}/{METHOD}")
        expect(written.split() == ["1.1", "200", "1", "1.1", "200", "0"],
               f"version, status and connections made by two requests: {written}")

    def curl_http2_json(self):
        self._hello_json("2", HTTP2)

    def curl_http2_upgrade(self):
        written, _, _ = self._curl("--http2", body=None)
        expect(written.startswith("2 405"), f"GET with 'Upgrade: h2c': HTTP version and status: {written}")

    def curl_http2_grpc(self):
        request = frame(text_field(1, b"John"))
        written, headers, body = self._curl(HTTP2, "-H", "te: trailers", body=request, content_type="application/grpc")
        expect(written.startswith("2 200"), f"HTTP version and status: {written}")
        expect(body == frame(text_field(1, b"Hello John")), f"body: {body!r}")
        expect("grpc-status: 0" in headers.partition("\n\n")[2], f"trailers: {headers}")

    def curl_grpc_timeout(self):
        """The server, not the client, ends a call whose time is over."""
        endless = frame(b"\x08\x80\x80\x80\x80\x04")  # from = 1 << 30
        written, headers, _ = self._curl(HTTP2, "-H", "te: trailers", "-H", "grpc-timeout: 200m", keep_body=False,
                                         path="greeter.Greeter/Countdown", body=endless, content_type="application/grpc")
        expect(written.startswith("2 200"), f"HTTP version and status: {written}")
        expect("grpc-status: 4" in headers.partition("\n\n")[2], f"trailers: {headers}")

    def _told(self, version, what, request, want, word, path=METHOD):
        """What a person who errs is told."""
        written, _, body = self._curl(version, path=path, body=request)
        expect(written.split()[1] == want, f"{what}: expected {want}, got {written} {body[:200]!r}")
        expect(word in body.decode().lower(), f"{what}: '{word}' is not in {body!r}")

    def _errors(self, version):
        self._told(version, "an empty name", b"{}", "400", "name")
        self._told(version, "malformed JSON", b'{"name":', "400", "")
        self._told(version, "a wrong type", b'{"name":{"first":"John"}}', "400", "name")
        self._told(version, "an unknown method", JOHN, "404", "nope", path="greeter.Greeter/Nope")
        self._told(version, "an unknown service", JOHN, "404", "nobody", path="greeter.Nobody/Hello")

    def curl_http1_errors(self):
        self._errors("--http1.1")

    def curl_http1_too_large(self):
        self._told("--http1.1", "a body of 5 MiB", b" " * (5 << 20), "413", "limit")

    def curl_http2_errors(self):
        self._errors(HTTP2)

    def curl_http2_too_large(self):
        self._told(HTTP2, "a body of 5 MiB", b" " * (5 << 20), "413", "limit")

    # Streams of replies

    def _countdown(self, version, accept, want):
        written, headers, body = self._curl(version, "-N", "-H", f"accept: {accept}", path="greeter.Greeter/Countdown",
                                            body=b'{"from":2}')
        expect(" 200 " in written and f"content-type: {accept}" in headers, f"{written} {headers}")
        expect(body.decode().replace(" ", "") == want, f"body: {body!r}")

    def _events(self, version):
        values = "".join(f'data:{{"value":{value}}}\n\n' for value in (2, 1, 0))
        self._countdown(version, "text/event-stream", values + "event:end\ndata:{}\n\n")

    def curl_http1_events(self):
        self._events("--http1.1")

    def curl_http2_events(self):
        self._events(HTTP2)

    def curl_http1_lines(self):
        self._countdown("--http1.1", "application/x-ndjson", "".join(f'{{"value":{value}}}\n' for value in (2, 1, 0)))

    def curl_grpc_web(self):
        for version in ("--http1.1", HTTP2):
            message = frame(text_field(1, b"John"))
            written, headers, body = self._curl(version, body=message, content_type="application/grpc-web+proto")
            expect(" 200 " in written and "content-type: application/grpc-web+proto" in headers, f"{written} {headers}")
            trailers = b"grpc-status: 0\r\n"
            want = frame(text_field(1, b"Hello John")) + struct.pack(">BI", 0x80, len(trailers)) + trailers
            expect(body == want, f"body: {body!r}")

    # Load: a few thousand requests, every one answered well

    def _h2load(self, *arguments, reply, requests=5000):
        h2load = shutil.which("h2load")
        if not h2load:
            raise Skipped("no h2load")
        status, out, err = run([h2load, f"-n{requests}", "-c10", *arguments, f"http://{self.address}/{METHOD}"], 60)
        requested = re.search(r"^requests: (.*)$", out, re.M)
        counts = {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", requested[1])} if requested else {}
        codes = re.search(r"^status codes: (.*)$", out, re.M)
        data = re.search(r"\((\d+)\) data$", out, re.M)
        expect(status == 0 and counts.get("succeeded") == requests, f"status {status}, {counts}, {tail(err or out, 12)}")
        expect(codes and f"{requests} 2xx" in codes[1], f"status codes: {codes and codes[1]}")
        # It does not look at bodies, and a failed gRPC call is a 200 without one.
        want = requests * len(reply)
        expect(data and int(data[1]) == want, f"bytes of bodies: {data and data[1]}, not {want}")

    def h2load_grpc(self):
        data = self.scratch / "hello.grpc"
        data.write_bytes(frame(text_field(1, b"John")))
        self._h2load("-m50", "-d", data, "-H", "content-type: application/grpc", "-H", "te: trailers",
                     reply=frame(text_field(1, b"Hello John")))

    def h2load_json(self):
        data = self.scratch / "hello.json"
        data.write_bytes(JOHN)
        self._h2load("-m50", "-d", data, "-H", "content-type: application/json", reply=GREETING)

    def h2load_http1(self):
        data = self.scratch / "hello.json"
        data.write_bytes(JOHN)
        self._h2load("--h1", "-d", data, "-H", "content-type: application/json", reply=GREETING)

    def wrk_http1_json(self):
        wrk = shutil.which("wrk")
        if not wrk:
            raise Skipped("no wrk")
        script = self.scratch / "post.lua"
        script.write_text("wrk.method = 'POST'\nwrk.body = '%s'\nwrk.headers['Content-Type'] = 'application/json'\n"
                          "response = function(status, _, body) if body ~= '%s' then print('wrong:', body) end end\n"
                          % (JOHN.decode(), GREETING.decode()))
        status, out, err = run([wrk, "-t1", "-c20", "-d2s", "-s", script, f"http://{self.address}/{METHOD}"], 30)
        count = re.search(r"(\d+) requests in", out)
        expect(status == 0 and count and int(count[1]) > 2000, f"status {status}: {tail(err or out)}")
        for bad in ("Non-2xx", "Socket errors", "wrong:"):
            expect(bad not in out, tail(out))

    # grpcurl

    def _run_grpcurl(self, *arguments, data=None, want=0):
        command = [self._grpcurl(), "-plaintext", "-max-time", "10", "-emit-defaults"]
        status, out, err = run([*command, *(["-d", data] if data else []), self.address, *arguments], 20)
        expect(status == want, f"grpcurl {' '.join(arguments)} ended with {status}: {tail(err or out)}")
        return out if want == 0 else err

    def _replies(self, method, data):
        out, decoder, replies = self._run_grpcurl(method, data=data), json.JSONDecoder(), []
        while out.strip():
            reply, end = decoder.raw_decode(out.lstrip())
            replies.append(reply)
            out = out.lstrip()[end:]
        return replies

    def grpcurl_list(self):
        services = self._run_grpcurl("list").split()
        for service in ("greeter.Greeter", "grpc.health.v1.Health"):
            expect(service in services, f"{service} is not among {services}")
        methods = self._run_grpcurl("list", "greeter.Greeter").split()
        want = [f"greeter.Greeter.{name}" for name in ("Chat", "Collect", "Countdown", "Hello")]
        expect(sorted(methods) == want, f"methods: {methods}")

    def grpcurl_describe(self):
        text = self._run_grpcurl("describe", "greeter.Greeter")
        expect("rpc Chat ( stream .greeter.ChatMessage ) returns ( stream .greeter.ChatMessage );" in text, f"service: {text}")
        text = self._run_grpcurl("describe", "greeter.HelloRequest")
        expect("string name = 1;" in text, f"message: {text}")

    def grpcurl_call(self):
        cases = [
            ("Hello", JOHN.decode(), [{"message": "Hello John"}]),
            ("Countdown", '{"from":3}', [{"value": value} for value in (3, 2, 1, 0)]),
            ("Collect", '{"name":"a"} {"name":"b"}', [{"count": 2, "names": ["a", "b"]}]),
            ("Chat", '{"text":"a"} {"text":"b"}', [{"text": "you said: a"}, {"text": "you said: b"}]),
        ]
        for method, data, want in cases:
            got = self._replies(f"greeter.Greeter/{method}", data)
            expect(got == want, f"{method}: {got}")

    def grpcurl_error(self):
        err = self._run_grpcurl("greeter.Greeter/Hello", data="{}", want=64 + 3)
        expect("InvalidArgument" in err and "name" in err, err)

    def grpcurl_health(self):
        for data in ("{}", '{"service":"greeter.Greeter"}'):
            got = self._replies("grpc.health.v1.Health/Check", data)
            expect(got == [{"status": "SERVING"}], f"{data}: {got}")


CHECKS = [name for name in vars(Tools) if name.startswith(("curl", "h2load", "wrk", "grpcurl"))]
