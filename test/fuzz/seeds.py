"""Writes the corpus: a few inputs a target that show the fuzzer what good and telling bad input looks like.

They are made here, and not by hand, because many are binary; run it after a change and commit what it writes.
"""

import pathlib
import struct
import zlib
import gzip

import seeds_registries

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = {}


def seeds(target, **inputs):
    CORPUS.setdefault(target, {}).update(inputs)


seeds_registries.add(seeds)


# --- Text ---

seeds("duration", seconds="30s", mixed="1h2m3.5s", negative="-1.5h", micro="12µs", least="-9223372036854775808ns",
      fraction="0.830103483285477580700h", size="4MiB", decimal="1.5 GB", largest="18446744073709551615", odd="0.0009765625MiB")
seeds("uri", http="http://user:pw@example.org:8080/a/b%20c?x=1&y=%2f#frag", ipv6="https://[2001:db8::1]:443/", path="/only/path",
      urn="urn:isbn:0451450523", file="file:///etc/hosts", port=":8080", unix="unix:/run/greeter.sock", unix_uri="unix:///run/a",
      address6="[fe80::1%25eth0]:80", query="a=1&b=2&b=3&c=%41+d", empty_host="http:///x", encoded_host="http://ex%41mple.org/")
seeds("media_type", json="application/json; charset=utf-8", quoted='text/plain; a="b\\"c;d"', suffix="application/problem+json",
      grpc="application/grpc+proto", blanks=" Text/HTML ;Charset=UTF-8 ; q = 1", empty="/", many="a/b;c=d;c=e;;f=g")
seeds("grpc_timeout", seconds="10S", longest="99999999H", milli="250m", micro="1u", nano="99999999n", zero="0S", nine="123456789S")
seeds("grpc_percent", plain="no such user", utf8="grün €", escaped="100%25 %E2%82%AC", broken="%zz %1 %", blanks=" a ", nul="a\0b")
seeds("grpc_request", path="/greeter.Greeter/Hello", nested="/a/b/c", content_type="application/grpc+proto; x=y", json="application/grpc+json",
      web="application/grpc-web+proto", accept="identity, deflate,gzip", gzip="gzip", unknown="br")
seeds("grpc_metadata", plain="x-user: john\nx-user:jane\n", binary="trace-bin:AAECAw==\ntrace-bin:AAEC,AwQ\n", reserved="grpc-status:0\nte:trailers\n:path:/\n",
      bad="x-bin:a\n", upper="X-Upper: value \n", empty="a:\n:\n")
seeds("http_error", micro='\x04{"code":"NOT_FOUND","reason":"NO_USER","message":"no user","metadata":{"tenant":"acme"}}',
      grpc_gateway='\x04{"code":5,"message":"no user","details":[]}', kratos='\x04{"code":404,"reason":"NO_USER","message":"m","metadata":{"n":1}}',
      status='\x64{"code":"UNAVAILABLE","message":"","metadata":{"http_status":"503"}}', html="\x64<html>\xff</html>", deep="\x00" + "[" * 200)
seeds("mucp", json='\x00{"name":"B"}\n', null="\x00null", two='\x00{"a":"}\\"{"} {}',
      json_rpc='\x03{"params":[{"name":"B"}],"id":"4","method":"Greeter.Hello"}\n', json_rpc_number='\x03{"id":7,"method":"A.B","params":[null]}',
      json_rpc_error='\x03{"id":"","result":null,"error":"boom"}', proto_rpc=b"\x04\0\0\0\x18\x0a\x0dGreeter.Hello\x11\x04" + bytes(10) + b"\x03\x0a\x01B",
      proto_rpc_error=b"\x04\0\0\0\x06\x1a\x04boom\0\0\0\0", grpc=b"\x05\0\0\0\0\x03\x0a\x01B", grpc_json=b"\x06\0\0\0\0\x02{}",
      head="\x08Micro-Endpoint:Greeter.Hello\nMicro-Id:0\nTimeout:5000000000\nContent-Type:application/json\n",
      twins="\x08X-Micro-Method:A.B\nX-Micro-Target:x\nMicro-Stream:7\nMicro-Error:EOS\n",
      error='\x09{"id":"greeter.fail","code":404,"detail":"a \\u003cb\\u003e","status":"Not Found"}', error_text="\x09rpc: can't find service A",
      error_more='\x09{"code":409,"detail":"x","status":"Conflict","reason":"R","grpc_status":"ABORTED","metadata":{"a":"b"}}',
      error_list='\x09{"errors":[{"code":404}]}', error_negative='\x09{"code":-1}')

# --- HTTP/1 ---

CRLF = "\r\n"


def lines(*texts, body=""):
    return CRLF.join(texts) + CRLF + CRLF + body


seeds("http1_request",
      get=lines("GET /a/b?c=d HTTP/1.1", "Host: example.org", "Accept: */*"),
      post=lines("POST /p HTTP/1.1", "Host: a", "Content-Length: 5", body="hello"),
      pipelined=lines("GET / HTTP/1.1", "Host: a") + lines("GET /2 HTTP/1.1", "Host: a"),
      chunked=lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body="5;x=y\r\nhello\r\nA;q=\"a\\\"b\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n"),
      old=lines("GET / HTTP/1.0", "Connection: keep-alive"),
      absolute=lines("GET http://example.org:80/x?y HTTP/1.1", "Host: other"),
      connect=lines("CONNECT example.org:443 HTTP/1.1", "Host: example.org:443"),
      asterisk=lines("OPTIONS * HTTP/1.1", "Host: a"),
      expect=lines("PUT / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 1", body="x"),
      h2c=lines("GET / HTTP/1.1", "Host: a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
      websocket=lines("GET /chat HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="),
      blank_line_first=CRLF + lines("GET / HTTP/1.1", "Host: a"),
      smuggle_both=lines("POST / HTTP/1.1", "Host: a", "Content-Length: 4", "Transfer-Encoding: chunked", body="0\r\n\r\nGET"),
      smuggle_two_lengths=lines("POST / HTTP/1.1", "Host: a", "Content-Length: 4", "Content-Length: 5", body="abcde"),
      smuggle_list=lines("POST / HTTP/1.1", "Host: a", "Content-Length: 4, 4", body="abcd"),
      smuggle_coding=lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: xchunked, chunked", body="0\r\n\r\n"),
      smuggle_folded=lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding:", " chunked", body="0\r\n\r\n"),
      smuggle_blank=lines("POST / HTTP/1.1", "Host: a", "Content-Length : 4", body="abcd"),
      bare_lf="GET / HTTP/1.1\nHost: a\n\n",
      bare_cr="GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
      chunk_overflow=lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body="fffffffffffffffff\r\n"))
seeds("http1_response",
      ok="0" + lines("HTTP/1.1 200 OK", "Content-Length: 2", body="ok"),
      until_close="0" + lines("HTTP/1.1 200 OK", body="all of it"),
      head="1" + lines("HTTP/1.1 200 OK", "Content-Length: 2") + lines("HTTP/1.1 204 No Content"),
      connect="2" + lines("HTTP/1.1 200 Connected", body="tunnel"),
      chunked="0" + lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body="3\r\nabc\r\n0\r\nT: v\r\n\r\n"),
      interim="4" + lines("HTTP/1.1 103 Early Hints", "Link: a") + lines("HTTP/1.1 100 Continue") + lines("HTTP/1.1 200 OK", "Content-Length: 0"),
      small_limits="8" + lines("HTTP/1.1 100 Continue") * 4 + lines("HTTP/1.1 200 OK"),
      upgrade="0" + lines("HTTP/1.1 101 Switching Protocols", "Upgrade: h2c", "Connection: Upgrade", body="PRI"),
      old="0" + lines("HTTP/1.0 200 OK", "Connection: keep-alive", "Content-Length: 0"),
      no_reason="0" + lines("HTTP/1.1 404", "Content-Length: 0"))


def text(value):
    value = value.encode()
    return bytes([len(value)]) + value


def headers(*pairs):
    return bytes([len(pairs)]) + b"".join(text(name) + text(value) for name, value in pairs)


NONE, EXACT, CHUNKED, UNTIL_CLOSE = b"\0", b"\1", b"\2", b"\3"
seeds("http1_writer",
      request=b"\1" + text("POST") + text("/a?b") + text("example.org") + headers(("X-A", "b"), ("Host", "no")) + EXACT + text("body") + b"\1\0",
      request_chunked=b"\1" + text("PUT") + text("/") + text("a") + headers() + CHUNKED + text("chunks") + b"\1" + text("X-T") + text("v") + b"\0\0",
      request_split=b"\1" + text("GET / HTTP/1.1\r\nX:") + text("/") + text("a") + headers(("A\r\nB", "c"), ("D", "e\r\nF: g")) + NONE + b"\0\0",
      response=b"\0" + struct.pack(">H", 200) + text("now") + headers(("Content-Type", "text/plain"), ("Content-Length", "7")) + EXACT + text("body") + b"\1",
      response_chunked=b"\0" + struct.pack(">H", 500) + text("") + headers() + CHUNKED + text("chunks") + b"\0\1",
      response_until_close=b"\0" + struct.pack(">H", 200) + text("") + headers(("Date", "mine")) + UNTIL_CLOSE + text("all") + b"\0",
      response_split=b"\0" + struct.pack(">H", 302) + text("a\r\nb") + headers(("Location", "/\r\n\r\n<html>")) + NONE + b"\1",
      no_content=b"\0" + struct.pack(">H", 204) + text("") + headers() + CHUNKED + text("x") + b"\0\1")

# --- HPACK ---


def literal(name, value, first=0x00):
    name, value = name.encode(), value.encode()
    return bytes([first, len(name)]) + name + bytes([len(value)]) + value


GET = b"\x82\x86\x84\x41\x01a"  # :method GET, :scheme http, :path /, :authority a (indexed)
GET_STATELESS = b"\x82\x86\x84\x01\x01a"
REQUEST, RESPONSE, TRAILERS, DISCARD = 0x00, 0x20, 0x40, 0x60
AGAIN = 0x80


def blocks(options, *entries):
    return bytes([options]) + b"".join(bytes([kind | len(block)]) + block for kind, block in entries)


seeds("hpack_decoder",
      request=blocks(0, (REQUEST, GET)),
      stateless=blocks(0, (REQUEST, GET_STATELESS)),
      repeated=blocks(0, (REQUEST, GET_STATELESS + literal("x", "y"))) + bytes([AGAIN, AGAIN, AGAIN | TRAILERS]),
      huffman_repeated=blocks(0, (REQUEST, b"\x82\x86\x84\x01\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff")) + bytes([AGAIN, AGAIN, AGAIN]),
      dynamic=blocks(0, (REQUEST, GET), (REQUEST, b"\x82\x86\x84\xbe"), (REQUEST, b"\x82\x86\x84\xbe")) + bytes([AGAIN]),
      resized=blocks(0, (TRAILERS, b"\x20" + literal("a", "b", 0x40)), (TRAILERS, b"\x3f\xe1\x1f\xbe")),
      large_table=blocks(8, (TRAILERS, b"\x3f\xe1\x3f" + literal("a", "b", 0x40)), (TRAILERS, b"\xbe")),
      never_indexed=blocks(0, (TRAILERS, literal("secret", "s", 0x10))),
      response=blocks(0, (RESPONSE, b"\x88\x5f\x01a")),
      too_large=blocks(1, (TRAILERS, literal("abcd", "0123456789") + literal("e", "f") * 3), (TRAILERS, literal("a", "b") * 6)),
      too_many=blocks(2, (TRAILERS, literal("a", "b") * 6)),
      connect=blocks(4, (REQUEST, literal(":method", "CONNECT") + literal(":protocol", "p"))),
      bad_index=blocks(0, (TRAILERS, b"\xff\xff\xff\xff\x0f")),
      zero_index=blocks(0, (TRAILERS, b"\x80")),
      cut_off=blocks(0, (TRAILERS, b"\x00\x05ab")))
seeds("hpack_round_trip",
      some=b"\x02\x02\x04name" + text("value") + b"\0\x03key" + text("secret") + b"\1\x02\x01\x04name" + text("value") + b"\0",
      resized=b"\x00\x00\x10\x01\x04name" + text("value") + b"\0\x01\x01\x04name" + text("value") + b"\0\x00\x10\x00\x01\x01a" + text("b") + b"\1",
      stateless=b"\x01\x01\x00a" + text("") + b"\0\x01\x02\x06cookie" + text("a=b") + b"\1\x03:st" + text("200") + b"\0")

# --- HTTP/2: bytes ---

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIO = 1, 1, 4, 8, 32


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def u32(value):
    return struct.pack(">I", value)


RESPONSE_BLOCK = b"\x88"
bytes_seeds = dict(
    get=b"\0" + frame(HEADERS, END_HEADERS | END_STREAM, 1, GET),
    post=b"\0" + frame(HEADERS, END_HEADERS, 1, GET) + frame(DATA, 0, 1, b"hello") + frame(DATA, END_STREAM, 1, b" world"),
    padded=b"\0" + frame(HEADERS, END_HEADERS | PADDED | PRIO, 1, b"\2" + u32(0) + b"\x10" + GET + b"\0\0") + frame(DATA, PADDED | END_STREAM, 1, b"\3abc\0\0\0"),
    continued=b"\0" + frame(HEADERS, END_STREAM, 1, GET[:2]) + frame(CONTINUATION, 0, 1) + frame(CONTINUATION, END_HEADERS, 1, GET[2:]),
    trailers=b"\0" + frame(HEADERS, END_HEADERS, 1, GET) + frame(DATA, 0, 1, b"x") + frame(HEADERS, END_HEADERS | END_STREAM, 1, literal("a", "b")),
    streams=b"\2" + b"".join(frame(HEADERS, END_HEADERS, stream, GET) for stream in (1, 3, 5, 7)) + frame(RST, 0, 3, u32(8)) + frame(DATA, END_STREAM, 1, b"x"),
    settings=b"\0" + frame(SETTINGS, 0, 0, b"\0\4" + u32(10) + b"\0\1" + u32(0)) + frame(HEADERS, END_HEADERS | END_STREAM, 1, GET) + frame(WINDOW, 0, 1, u32(90)),
    ping=b"\2" + frame(PING, 0, 0, b"12345678") * 12,
    goaway=b"\0" + frame(HEADERS, END_HEADERS, 1, GET) + frame(GOAWAY, 0, 0, u32(0) + u32(0) + b"bye") + frame(DATA, END_STREAM, 1, b"x"),
    rapid_reset=b"\2" + b"".join(frame(HEADERS, END_HEADERS, stream, GET) + frame(RST, 0, stream, u32(8)) for stream in range(1, 17, 2)),
    empty_data=b"\2" + frame(HEADERS, END_HEADERS, 1, GET) + frame(DATA, 0, 1) * 5,
    continuation_flood=b"\2" + frame(HEADERS, 0, 1, GET) + frame(CONTINUATION, 0, 1) * 5,
    window_overflow=b"\0" + frame(HEADERS, END_HEADERS, 1, GET) + frame(WINDOW, 0, 1, u32(0x7fffffff)) + frame(WINDOW, 0, 0, u32(0x7fffffff)),
    unknown_frame=b"\0" + frame(0xaa, 0xff, 1, b"ignored") + frame(HEADERS, END_HEADERS | END_STREAM, 1, GET),
    client_response=b"\1" + frame(HEADERS, END_HEADERS, 1, RESPONSE_BLOCK) + frame(DATA, 0, 1, b"ok") + frame(HEADERS, END_HEADERS | END_STREAM, 1, literal("grpc-status", "0")),
    client_interim=b"\1" + frame(HEADERS, END_HEADERS, 3, literal(":status", "100")) + frame(HEADERS, END_HEADERS | END_STREAM, 3, RESPONSE_BLOCK),
    client_reset=b"\1" + frame(RST, 0, 1, u32(7)) + frame(RST, 0, 3, u32(0)),
    client_goaway=b"\1" + frame(GOAWAY, 0, 0, u32(1) + u32(11) + b"calm") + frame(HEADERS, END_HEADERS | END_STREAM, 1, RESPONSE_BLOCK),
    client_push=b"\1" + frame(PUSH, END_HEADERS, 1, u32(2) + GET))
seeds("http2_bytes", **bytes_seeds)
# To a client both of whose requests, and two more, are under way there.
seeds("http2_nghttp2", **{f"raw_{name}": (b"\x0c" if name.startswith("client") else b"\4") + value[1:] for name, value in bytes_seeds.items()})

# --- HTTP/2: operations, in the order in which FrameSource and the targets read them ---

NEW, LAST = b"\0", b"\1"
POST_BLOCK, GET_BLOCK, TRAILER_BLOCK = b"\5", b"\4", bytes([64]) + b"\5\6"


def op_headers(stream=NEW, block=POST_BLOCK, end=False):
    return b"\0" + bytes([end]) + stream + block


def op_data(payload, stream=LAST, end=False):
    return b"\2" + bytes([end]) + stream + bytes([len(payload)]) + payload


def op_rst(stream=LAST):
    return b"\5\0" + stream + b"\x08"


op_settings = b"\6\0" + b"\2" + b"\4\4" + b"\5\6"
op_window = b"\x09\0" + LAST + b"\x40"
op_continued = b"\1\0" + NEW + POST_BLOCK + b"\3" + b"\2"
seeds("http2_nghttp2",
      post=b"\0" + op_headers() + op_data(b"hello") + op_data(b"", end=True),
      trailers=b"\0" + op_headers() + op_data(b"hello") + op_headers(LAST, b"\x40\x85\6", True),
      continued=b"\0" + op_continued + op_data(b"x", end=True),
      answered=b"\0" + op_headers(end=True) + b"\xe0\0" + op_window + op_rst() + op_headers(),
      resets=b"\1" + (op_headers() + op_rst()) * 4,
      too_many=b"\1" + op_headers() * 5,
      settings=b"\0" + op_settings + op_headers() + op_window,
      connect=b"\2" + op_headers(block=b"\1") + op_data(b"tunnel", end=True))


# A server's blocks: the status is the upper half of the choice's low six bits. Streams are counted back from the last one opened;
# four are open in the beginning: GET, POST, HEAD, CONNECT.
def op_open(kind):
    return bytes([0xe0, kind])


GET_REQUEST, POST_REQUEST, HEAD_REQUEST, CONNECT_REQUEST, END_BODY, RESET = range(6)
OK, NO_CONTENT, NOT_MODIFIED, CONTINUE = 1, 10, 17, 26
TO_CONNECT, TO_HEAD, TO_POST, TO_GET = b"\1", b"\2", b"\3", b"\4"
LENGTH_5 = bytes([OK | 64]) + b"\1\2"
seeds("http2_nghttp2",
      client_get=b"\x08" + op_headers(TO_GET, bytes([OK])) + op_data(b"hello", TO_GET, True),
      client_length=b"\x08" + op_headers(TO_GET, LENGTH_5) + op_data(b"hello", TO_GET, True),
      client_wrong_length=b"\x08" + op_headers(TO_GET, LENGTH_5) + op_data(b"hell", TO_GET, True),
      client_trailers=b"\x08" + op_headers(TO_GET, bytes([OK])) + op_data(b"x", TO_GET) + op_headers(TO_GET, b"\x40\x85\6", True),
      client_interim=b"\x08" + op_headers(TO_POST, bytes([CONTINUE])) + op_open(END_BODY) + b"\1" + op_headers(TO_POST, bytes([OK]), True),
      client_head=b"\x08" + op_headers(TO_HEAD, LENGTH_5, True),
      client_head_with_data=b"\x08" + op_headers(TO_HEAD, LENGTH_5) + op_data(b"hello", TO_HEAD, True),
      client_no_content=b"\x08" + op_headers(TO_GET, bytes([NO_CONTENT]), True) + op_headers(TO_POST, bytes([NOT_MODIFIED])) + op_data(b"x", TO_POST),
      client_tunnel=b"\x08" + op_headers(TO_CONNECT, bytes([OK])) + op_data(b"bytes", TO_CONNECT) + op_headers(TO_CONNECT, b"\x40\x85\6", True),
      client_reset=b"\x08" + op_rst(TO_POST) + op_open(POST_REQUEST) + op_open(RESET) + b"\4" + op_headers(LAST, bytes([OK])),
      client_few_streams=b"\x08" + b"\6\0\1\3\1" + op_open(GET_REQUEST) * 2 + op_headers(TO_GET, bytes([OK]), True) + op_open(GET_REQUEST),
      client_goaway=b"\x08" + b"\x0b\0\3\0\0" + op_headers(TO_GET, bytes([OK]), True) + op_open(GET_REQUEST))

OP_ANSWER, OP_END, OP_SUBMIT, OP_SUBMIT_END, OP_RESET, OP_CONSUME, OP_PLACE, OP_PING, OP_AWAY, OP_DRAIN = (
    0xa4, 0xb4, 0xa1, 0xb1, 0xa7, 0xa8, 0xa9, 0xaa, 0xbb, 0xae)


def call(op, *more):
    return bytes([op, 0]) + bytes(more)


seeds("http2_frames",
      server_answers=b"\0" + op_headers(end=True) + call(OP_ANSWER) + call(OP_SUBMIT, 3) + b"abc" + call(OP_END),
      server_streams=b"\0" + op_headers() + op_data(b"hello") + call(OP_ANSWER) + call(OP_SUBMIT, 3) + b"abc" + op_data(b"", end=True) + call(OP_END),
      server_small=b"\2" + op_headers() + op_data(b"x" * 40) * 4 + call(OP_CONSUME, 0, 100) + op_window + call(OP_DRAIN),
      server_blocked=b"\0" + op_settings + op_headers(end=True) + call(OP_ANSWER) + bytes([0xa3, 0, 0x20, 0]) + op_window * 3 + call(OP_END),
      server_in_place=b"\0" + op_headers(end=True) + call(OP_ANSWER) + call(OP_PLACE, 40, 1),
      server_leaves=b"\0" + op_headers() + call(OP_AWAY, 0) + op_headers() + b"\x08\1" + call(0xac) + op_headers(),
      server_upgraded=b"\x40" + b"\2ab" + b"\4body" + b"\1" + b"\0\4" + u32(100) + call(OP_ANSWER) + call(OP_SUBMIT, 5) + b"hello" + op_headers(),
      client_calls=b"\1" + call(0xa0, 2) + op_headers(LAST, b"\1") + op_data(b"reply") + op_headers(LAST, b"\x40\x85\6", True),
      client_sends=b"\1" + call(0xa0, 2) + call(OP_SUBMIT, 3) + b"abc" + call(OP_SUBMIT_END, 1) + b"d" + op_rst(),
      client_resets=b"\1" + (call(0xa0, 0) + call(OP_RESET, 8)) * 3 + op_headers(LAST, b"\1"),
      client_goaway=b"\1" + call(0xa0, 0) * 3 + b"\x0b\0\1\0\0" + call(0xa0, 0),
      client_windows=b"\3" + call(0xa0, 2) + bytes([0xa3, 0, 0xff, 0xff]) + b"\x09\2\xff" + u32(0x10000) + op_window)

OPEN, SEND, BULK, HEAD, TRAIL, CANCEL, TO_SERVER, TO_CLIENT = 0, 2, 4, 5, 6, 7, 10, 11
CARRY = bytes([TO_SERVER, 0, 0xff, 0xff]) + bytes([TO_CLIENT, 0, 0xff, 0xff])


def of(side, op):
    # The operation of a side: the number of it modulo 12, with bit 7 for the server.
    return next(value for value in range(0x80 * side, 0x80 * side + 0x80) if value % 12 == op)


seeds("http2_pair",
      unary=b"\0" + bytes([OPEN, 0, 0]) + bytes([SEND, 0, 5]) + b"hello\xff" + CARRY + bytes([of(1, HEAD), 0, 0, of(1, SEND), 0, 5]) + b"world\0" +
      bytes([of(1, TRAIL), 0]) + CARRY,
      bulk=b"\1\x10" + bytes([OPEN, 0, 0]) + bytes([BULK, 0, 0x40, 0, 0xff]) + CARRY * 4,
      both=b"\6" + (bytes([OPEN, 0, 0]) + bytes([SEND, 0, 3]) + b"abc\0") * 3 + CARRY + bytes([of(1, HEAD), 0, 0, of(1, BULK), 0, 0xff, 0xff, 0]) * 2 + CARRY,
      lazy=b"\x67\x20\x40" + bytes([OPEN, 0, 0]) + bytes([BULK, 0, 0x80, 0, 0]) + CARRY + bytes([of(1, 8), 0, 0x40]) + CARRY,
      cancelled=b"\0" + bytes([OPEN, 0, 0]) + CARRY + bytes([of(1, HEAD), 0, 0, CANCEL, 0, 0xff]) + CARRY)

# --- WebSocket, server-sent events ---


def ws(first, payload, mask=True, deflated=False):
    key = b"\x37\xfa\x21\x3d"
    head = bytes([first | (0x40 if deflated else 0), len(payload) | (0x80 if mask else 0)])
    return head + (key + bytes(c ^ key[i % 4] for i, c in enumerate(payload)) if mask else payload)


def raw_deflate(payload):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


seeds("websocket",
      text=b"\0" + ws(0x81, "grün".encode()), binary=b"\0" + ws(0x82, bytes(range(20))), pieces=b"\0" + ws(0x01, b"gr\xc3") + ws(0x89, b"ping") + ws(0x80, b"\xbcn"),
      close=b"\0" + ws(0x88, struct.pack(">H", 1000) + b"bye"), client=b"\1" + ws(0x81, b"hello", mask=False) + ws(0x8a, b"", mask=False),
      deflate=b"\2" + ws(0x81, raw_deflate(b"hello hello hello"), deflated=True) * 2, no_context=b"\x0e" + ws(0x82, raw_deflate(b"a" * 40), deflated=True),
      bomb=b"\x42" + ws(0x82, raw_deflate(b"\0" * 5000), deflated=True), not_masked=b"\0" + ws(0x81, b"x", mask=False), too_large=b"\x40" + ws(0x82, b"x" * 65),
      empty_frames=b"\0" + ws(0x01, b"") + ws(0x00, b"") * 4, not_utf8=b"\0" + ws(0x81, b"\xff"), long_length=b"\0\x82\xff" + b"\x7f" * 8)
seeds("websocket_handshake",
      plain="0permessage-deflate", limited="8permessage-deflate; client_max_window_bits; server_max_window_bits=10", both="6permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      several="0x-unknown; a=\"b\", permessage-deflate; bogus, permessage-deflate", quoted="0permessage-deflate; server_max_window_bits=\"12\"",
      repeated="0permessage-deflate; client_max_window_bits=9; client_max_window_bits=9", protocols="0v1, chat", key="PdGhlIHNhbXBsZSBub25jZQ==")
seeds("sse", one="data: hello\n\n", fields="id: 7\nevent: news\nretry: 250\ndata: a\ndata: b\n\n", endings="data:a\r\ndata:b\rdata:c\n\r\n", mark="\ufeffdata: x\n\n",
      comment=": nothing\n\n:\n", reset="id: 1\ndata\n\nid\ndata\n\n", nul="id: a\0b\ndata: x\n\n", long="data: " + "x" * 60 + "\n\n", unfinished="event: a\ndata: b\n")
seeds("grpc_web", text="AAAAAAVoZWxsbw==", flushed="AA==AAAA", split="AAA", bad="A=AA", content_type="application/grpc-web-text+proto; charset=utf-8", message="no user")

# --- gRPC ---


def message(payload, compressed=0):
    return bytes([compressed]) + struct.pack(">I", len(payload)) + payload


seeds("grpc_framing",
      one=b"\1" + message(b"hello"), several=b"\1" + message(b"a") + message(b"") + message(b"bc"), compressed=b"\5" + message(b"packed", 1),
      compressed_not_agreed=b"\1" + message(b"packed", 1), too_long=b"\0" + message(b"x" * 17), bad_flag=b"\1" + message(b"x", 2),
      cut_off=b"\1" + message(b"hello")[:-2], huge=b"\1\0\xff\xff\xff\xff")
seeds("grpc_compression",
      deflate=bytes([1 + 3 * 19]) + zlib.compress(b"hello " * 20), gzip=bytes([2 + 3 * 19]) + gzip.compress(b"hello " * 20, mtime=0),
      bomb=bytes([2 + 3 * 10]) + gzip.compress(b"\0" * 100000, mtime=0), two_members=bytes([2 + 3 * 19]) + gzip.compress(b"a", mtime=0) * 2,
      cut_off=bytes([1 + 3 * 19]) + zlib.compress(b"hello " * 20)[:-3], identity=bytes([3 * 4]) + b"as it is",
      dictionary=bytes([1 + 3 * 19]) + b"\x78\xbb\x00\x00\x00\x00x")


def field(number, wire, payload):
    return varint(number << 3 | wire) + (varint(len(payload)) if wire == 2 else b"") + payload


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


INFO = field(1, 2, b"NO_USER") + field(2, 2, b"micro") + field(3, 2, field(1, 2, b"tenant") + field(2, 2, b"acme"))
ANY = field(1, 2, b"type.googleapis.com/google.rpc.ErrorInfo") + field(2, 2, INFO)
FOREIGN = field(1, 2, b"type.googleapis.com/google.rpc.RetryInfo") + field(2, 2, b"\x0a\x02\x08\x05")
STATUS = field(1, 0, varint(5)) + field(2, 2, b"no user") + field(3, 2, ANY)
seeds("grpc_status",
      plain=b"5\nno%20user\n", details=b"5\nno user\n" + STATUS, foreign=b"14\n\n" + field(1, 0, varint(14)) + field(3, 2, FOREIGN) + field(3, 2, ANY),
      contradiction=b"3\nm\n" + STATUS, no_number=b"abc\n", no_status=b"\n", large=b"13\n" + b"m" * 500 + b"\n" + field(1, 0, varint(13)) + field(2, 2, b"m" * 500),
      not_utf8=b"2\n%ff\n" + field(1, 0, varint(2)) + field(2, 2, b"\xff\xfe"), ok=b"0\n\n")

# --- Protobuf and JSON ---

SCALARS, LISTS, MAPS, CHOICE, TREE, USER, KNOWN = (bytes([i]) for i in range(7))
seeds("json_reader",
      scalars=SCALARS + b'{"anInt32":-1,"an_int64":"9223372036854775807","aDouble":1.5e300,"aFloat":"NaN","aBool":true,"aString":"a\\u00e9\\ud83d\\ude00\\n","aBytes":"AQI=","color":"RED","maybe":0}',
      numbers=SCALARS + b'{"anInt32":1e2,"aUint64":18446744073709551615,"aDouble":-0.0,"aFloat":3.4028235e38,"aSint64":"-5","color":-1}',
      lists=LISTS + b'{"int32s":[1,2.0,"3"],"strings":["",null],"tags":[{"name":"a","color":2},{}],"blobs":["_-A"]}',
      maps=MAPS + b'{"texts":{"a":"b","":""},"int32s":{"-1":1},"bools":{"true":"RED"},"tags":{"x":{}}}',
      choice=CHOICE + b'{"anything":{"a":[1,"b",null,true,{}]}}', nothing=CHOICE + b'{"nothing":null}', both=CHOICE + b'{"number":1,"text":"x"}',
      tree=TREE + b'{"label":"a","left":{"children":[{},{"named":{"k":{"label":"b"}}}]}}', deep=TREE + b'{"left":' * 110,
      user=USER + b' { "displayName" : "x" , "address" : { "floors" : { "a" : 1 } } } ',
      known=KNOWN + b'{"time":"2024-02-29T12:00:00.123456789Z","span":"-3.5s","mask":"a.b,cD","object":{"x":1},"value":null,"list":[[]],"empty":{},"aDouble":1,"anInt64":"2","aBytes":"AA=="}',
      any=KNOWN + b'{"any":{"@type":"type.googleapis.com/codecs.test.Tag","name":"a"},"anys":[{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}]}',
      offset=KNOWN + b'{"time":"1969-12-31T23:59:59.5+01:30","times":["0001-01-01T00:00:00Z","9999-12-31T23:59:59.999999999Z"]}',
      unknown=USER + b'{"nope":1,"displayName":"x"}', duplicate=USER + b'{"displayName":"x","display_name":"y"}', trailing=USER + b"{} x",
      surrogate=USER + b'{"displayName":"\\ud800"}', not_utf8=USER + b'{"displayName":"\xff"}')
TAG = field(1, 2, b"name") + field(2, 0, varint(2))
proto_seeds = dict(
    scalars=SCALARS + b"".join(field(i, 0, varint(i)) for i in range(1, 7)) + field(7, 5, b"\1\0\0\0") + field(12, 1, struct.pack("<d", 0.1)) + field(14, 2, "é€😀".encode()) + field(15, 2, b"\0\xff"),
    negative=SCALARS + field(1, 0, b"\xff" * 9 + b"\1") + field(2, 0, b"\x80" * 9 + b"\1") + field(16, 0, b"\xff" * 9 + b"\1") + field(11, 5, struct.pack("<f", float("nan"))),
    lists=LISTS + field(1, 2, b"\1\2\3") + field(5, 2, struct.pack("<ff", 1.5, float("inf"))) + field(8, 2, b"a") + field(11, 2, TAG),
    maps=MAPS + field(1, 2, field(1, 2, b"k") + field(2, 2, b"v")) + field(7, 2, field(1, 2, b"t") + field(2, 2, TAG)) + field(6, 2, field(1, 0, b"\1") + field(2, 0, b"\1")),
    choice=CHOICE + field(5, 2, field(5, 2, field(1, 2, field(1, 2, b"a") + field(2, 2, field(2, 1, struct.pack("<d", 8)))))), 
    tree=TREE + field(2, 2, field(3, 2, field(1, 2, b"leaf"))) + field(4, 2, field(1, 2, b"k") + field(2, 2, b"")),
    time=KNOWN + field(2, 2, field(1, 0, varint(1700000000)) + field(2, 0, varint(5000000))) + field(3, 2, field(1, 0, varint(3))) + field(4, 2, field(1, 2, b"a_b.c")),
    any=KNOWN + field(1, 2, field(1, 2, b"type.googleapis.com/codecs.test.Tag") + field(2, 2, TAG)),
    any_known=KNOWN + field(19, 2, field(1, 2, b"type.googleapis.com/google.protobuf.Duration") + field(2, 2, field(1, 0, varint(7)))),
    wrappers=KNOWN + b"".join(field(i, 2, b"") for i in range(10, 19)) + field(17, 2, field(1, 2, b"text")),
    value=KNOWN + field(6, 2, field(1, 0, b"\0")) + field(7, 2, field(1, 2, field(3, 2, b"x"))))
seeds("json_round_trip", **{name: value[:1] + b"\2" + value[1:] for name, value in proto_seeds.items()},
      **{f"{name}_numbers": proto_seeds[name][:1] + b"\x1d" + proto_seeds[name][1:] for name in ("scalars", "negative", "lists", "maps")})
seeds("proto_codec", **proto_seeds, cut_off=SCALARS + b"\x72\x05ab", bad_utf8=SCALARS + field(14, 2, b"\xff"), group=SCALARS + b"\xa3\x06\xa4\x06",
      bad_wire=SCALARS + b"\x0e\0", long_varint=SCALARS + b"\x08" + b"\xff" * 11, field_zero=SCALARS + b"\0\0", deep=TREE + field(2, 2, b"") * 3)

STRING, MESSAGE, OPTIONAL, REPEATED = 9, 11, 1, 3


def descriptor_field(name, number, kind, type_name="", label=OPTIONAL):
    return field(2, 2, field(1, 2, name) + field(3, 0, varint(number)) + field(4, 0, varint(label)) + field(5, 0, varint(kind)) +
                 (field(6, 2, type_name) if type_name else b""))


def file(name, *parts, syntax=b"proto3", package=b"p"):
    return field(1, 2, field(1, 2, name) + field(2, 2, package) + b"".join(parts) + field(12, 2, syntax))


def declare(name, *fields):
    return field(4, 2, field(1, 2, name) + b"".join(fields))


def service(name, method, request, reply):
    return field(6, 2, field(1, 2, name) + field(2, 2, field(1, 2, method) + field(2, 2, request) + field(3, 2, reply)))


REQUEST_TYPE = declare(b"Request", descriptor_field(b"name", 1, STRING), descriptor_field(b"self", 2, MESSAGE, b".p.Request"))
seeds("dynamic_types",
      service=file(b"a.proto", REQUEST_TYPE, service(b"S", b"M", b".p.Request", b".p.Request")),
      imported=file(b"a.proto", REQUEST_TYPE) + file(b"b.proto", field(3, 2, b"a.proto"), service(b"S", b"M", b".p.Request", b".p.Request"), package=b"q"),
      missing=file(b"b.proto", field(3, 2, b"a.proto")), cycle=file(b"a.proto", field(3, 2, b"b.proto")) + file(b"b.proto", field(3, 2, b"a.proto")),
      undefined=file(b"a.proto", service(b"S", b"M", b".p.No", b".p.No")), twice=file(b"a.proto", REQUEST_TYPE, REQUEST_TYPE),
      lists=file(b"a.proto", declare(b"L", descriptor_field(b"l", 1, MESSAGE, b".p.L", REPEATED), descriptor_field(b"s", 2, STRING, b"", REPEATED)),
                 service(b"S", b"M", b".p.L", b".p.L")),
      enumeration=file(b"a.proto", field(5, 2, field(1, 2, b"E") + field(2, 2, field(1, 2, b"ZERO") + field(2, 0, b"\0"))),
                       declare(b"M", descriptor_field(b"e", 1, 14, b".p.E")), service(b"S", b"M2", b".p.M", b".p.M")),
      required=file(b"a.proto", declare(b"R", descriptor_field(b"x", 1, STRING, b"", 2)), service(b"S", b"M", b".p.R", b".p.R"), syntax=b"proto2"))
seeds("reflection_answer",
      services=field(6, 2, field(1, 2, field(1, 2, b"a.S")) + field(1, 2, field(1, 2, b"b.T"))),
      files=field(4, 2, field(1, 2, file(b"a.proto", REQUEST_TYPE)[2:])),
      error=field(7, 2, field(1, 0, varint(5)) + field(2, 2, b"no such symbol")), nothing=b"", host=field(1, 2, b"host"))

# --- Transcoding ---


def bound(*bindings, ask, path, query="", body=""):
    return "\n".join([*bindings, "", ask, path, query, body])


seeds("transcoding",
      variable=bound("GET /v1/messages/{a_string}", ask="GET", path="/v1/messages/a%2Fb", query="an_int32=3&numbers=4&numbers=5"),
      several=bound("GET /v1/{a_string=shelves/*/books/*}", "* /v1/{a_string=**}", ask="HEAD", path="/v1/shelves/1/books/2"),
      verb=bound("POST /v1/{a_string=shelves/*}:archive", "POST /v1/{a_string}/*", ask="POST", path="/v1/shelves/1:%61rchive",
                 body='{"inner":{"aBool":true},"words":["a"]}'),
      inner=bound("GET /v1/{inner.a_string}/{inner.an_int32}", ask="GET", path="/v1/x/-7", query="inner.color=RED&time=2024-02-29T12:00:00Z"),
      literals=bound("GET /a/b", "GET /a/*", "GET /*/b", "GET /**", "GET /", "PUT /a/b", ask="GET", path="/a/%62"),
      wrong=bound("GET /v1/{a_string", "GET v1", "GET /**/a", "GET /a//b", "GET /{no_such}", "G T /a", ask="GET", path="/"),
      choice=bound("GET /{by_name}", ask="GET", path="/x", query="by_number=1&mask=a.b,c&labels=1&span=1.5s"))

# --- TLS ---


def extension(kind, payload):
    return struct.pack(">HH", kind, len(payload)) + payload


def client_hello(*extensions):
    some = b"".join(extensions)
    body = b"\x03\x03" + b"r" * 32 + b"\x00" + struct.pack(">HHH", 4, 0x1301, 0xC02B) + b"\x01\x00" + struct.pack(">H", len(some)) + some
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello


X25519 = extension(0x33, struct.pack(">HHH", 36, 0x1D, 32) + b"\x09" + b"\x00" * 31)
HELLO = client_hello(extension(0x0A, b"\x00\x02\x00\x1d"), extension(0x0D, b"\x00\x02\x04\x03"), extension(0x2B, b"\x04\x03\x04\x03\x03"),
                     X25519, extension(0x10, b"\x00\x03\x02h2"), extension(0x00, b"\x00\x0c\x00\x00\x09localhost"))
MOVE_ALL = b"\x03"


def carried(side, how, size=0xFFFF):
    return bytes([side | 4, how]) + struct.pack("<H", size)


seeds("tls_engine", hello=b"\x00" + HELLO, hello_1_2=b"\x00" + client_hello(extension(0x0A, b"\x00\x02\x00\x1d"), extension(0x0D, b"\x00\x02\x04\x03")),
      http=b"\x00GET / HTTP/1.1\r\n\r\n", alert=b"\x01\x15\x03\x03\x00\x02\x02\x28", answer=b"\x01HTTP/1.1 400 Bad Request\r\n\r\n",
      talk=b"\x02" + MOVE_ALL + b"\x00\x05hello" + b"\x81\x00\xff" + MOVE_ALL + b"\x02\x00" + b"\x80\x02ok" + MOVE_ALL,
      pieces=b"\x02" + carried(0, 5, 20) * 30 + carried(0x80, 5, 300) * 8 + carried(0, 5) * 3 + b"\x00\x03abc" + carried(0, 5, 10) * 4,
      changed=b"\x02" + MOVE_ALL + b"\x00\x05hello" + carried(0, 0) + b"\x0a\x00\x03",
      repeated=b"\x02" + MOVE_ALL + b"\x00\x05hello" + carried(0, 1), lost=b"\x02" + carried(0, 2) + carried(0, 5),
      injected=b"\x02" + MOVE_ALL + b"\x80\x05hello" + carried(0x80, 3) + b"\x05\x17\x03\x03\x00\x00")


def main():
    for target, inputs in sorted(CORPUS.items()):
        folder = HERE / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in inputs.items():
            (folder / name).write_bytes(value.encode("latin-1" if target == "http_error" else "utf-8") if isinstance(value, str) else value)
    print(f"{sum(map(len, CORPUS.values()))} inputs for {len(CORPUS)} targets")


if __name__ == "__main__":
    main()
