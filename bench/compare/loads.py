"""The load generators: each sends a number of requests to a server and says how fast they were answered."""

import json
import re
import subprocess

from servers import NAME, REPLY, Failure, pinned, prioritise

METHOD = "/greeter.Greeter/Hello"
STREAM_MESSAGES = 1000  # messages of one streamed reply


class Scenario:
    """Connections x outstanding requests on each; a trailing 'm': every request carries metadata of its own."""

    def __init__(self, text):
        match = re.fullmatch(r"(\d+)x(\d+)(m?)", text)
        if not match:
            raise ValueError(f"scenario '{text}': expected CONNECTIONSxSTREAMS, for example 10x10")
        self.text = text
        self.connections, self.streams = int(match[1]), int(match[2])
        self.metadata = bool(match[3])

    def outstanding(self):
        return self.connections * self.streams


class Load:
    """Runs commands pinned to the core of the load; a subclass says which, and reads what they print."""

    name = ""
    multiplexes = True  # may have several requests outstanding on a connection
    own_metadata = False  # can send other metadata in every request

    def __init__(self, places, core, nice):
        self.places, self.core, self.nice = places, core, nice

    def can(self, server, scenario):
        """Whether it can put this scenario on the server of that name."""
        return (server != "go-micro" and (self.multiplexes or scenario.streams == 1)
                and (self.own_metadata or not scenario.metadata))

    def run(self, scenario, address, requests, timeout):
        """Returns a dict with at least `requests` (units of work done) and `rps`."""
        command = pinned(self.command(scenario, address, requests), self.core)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, preexec_fn=lambda: prioritise(self.nice))
        except subprocess.TimeoutExpired:
            raise Failure(f"not finished after {timeout:.0f} s: {' '.join(command)}") from None
        if done.returncode != 0:
            raise Failure(f"exit status {done.returncode}: {' '.join(command)}\n{done.stdout}{done.stderr}")
        return self.result(done.stdout, requests)

    def shown(self):
        """The command with names in place of figures."""
        scenario = Scenario("1x1")
        scenario.connections, scenario.streams = "C", "M"
        return pinned(self.command(scenario, "ADDRESS", "N"), self.core)


class H2load(Load):
    def __init__(self, places, core, nice, size=len(NAME)):
        super().__init__(places, core, nice)
        self.name = "h2load" if size == len(NAME) else f"h2load, {'1 MiB' if size == 1 << 20 else f'{size >> 10} KiB'}"
        self.body = places.work / f"hello-{size}.bin"
        write_body(self.body, NAME if size == len(NAME) else "x" * size)

    def command(self, scenario, address, requests):
        return ["h2load", "-t", "1", "-c", str(scenario.connections), "-m", str(scenario.streams), "-n", str(requests), "-d", str(self.body),
                "-w", "30", "-W", "30", "-H", "content-type: application/grpc", "-H", "te: trailers", f"http://{address}{METHOD}"]

    def result(self, output, requests):
        finished = re.search(r"finished in .*?, ([\d.]+) req/s", output)
        counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
        answered = re.search(r"status codes: (\d+) 2xx", output)
        if not (finished and counts and answered):
            raise Failure(f"h2load said something unexpected:\n{output}")
        succeeded, failed, errored, timeout = map(int, counts.groups())
        if failed or errored or timeout or succeeded != requests or int(answered[1]) != requests:
            raise Failure(f"h2load: of {requests} requests {succeeded} succeeded and {answered[1]} were answered with HTTP status 2xx")
        return {"requests": requests, "rps": float(finished[1])}


class GrpcLoad(Load):
    name = "grpc_load"
    own_metadata = True
    extra = []

    def command(self, scenario, address, requests):
        metadata = ["-M"] if scenario.metadata else []
        return [f"{self.places.bin}/grpc_load", "-c", str(scenario.connections), "-m", str(scenario.streams), "-n", str(requests),
                "-N", NAME, "-p", METHOD, *metadata, *self.extra, address]

    def result(self, output, requests):
        return result_of(output, requests)


class ManyLoad(GrpcLoad):
    """So many calls on each connection that making it hardly counts."""

    def run(self, scenario, address, requests, timeout):
        return super().run(scenario, address, max(requests, 50 * scenario.connections), timeout)


class StreamLoad(GrpcLoad):
    """A streaming method: what is counted are its messages; of Chat a message and its answer are one."""

    own_metadata = False

    def __init__(self, places, core, nice, method, option):
        super().__init__(places, core, nice)
        self.name, self.extra = method, [option, str(STREAM_MESSAGES)]

    def run(self, scenario, address, requests, timeout):
        calls = max(scenario.outstanding(), requests // STREAM_MESSAGES)
        result = super().run(scenario, address, calls, timeout)
        return {"requests": calls * STREAM_MESSAGES, "rps": result["rps"] * STREAM_MESSAGES}


class RateLoad(GrpcLoad):
    """Requests sent when their time has come: latency as callers see it who do not wait for each other."""

    def __init__(self, places, core, nice, rate):
        super().__init__(places, core, nice)
        self.name, self.rate = f"{rate}/s", rate
        self.extra = ["-r", str(rate)]


class HttpRateLoad(Load):
    """The same over HTTP/1.1 with JSON, which wrk cannot."""

    multiplexes = False

    def __init__(self, places, core, nice, rate):
        super().__init__(places, core, nice)
        self.name, self.rate = f"{rate}/s", rate

    def command(self, scenario, address, requests):
        return [f"{self.places.bin}/http_load", "-c", str(scenario.connections), "-n", str(requests), "-r", str(self.rate), "-N", NAME,
                "-p", METHOD, address]

    def result(self, output, requests):
        return result_of(output, requests)


class Wrk(Load):
    """HTTP/1.1 and JSON. wrk counts time, not requests."""

    name = "wrk"
    multiplexes = False

    def __init__(self, places, core, nice, seconds):
        super().__init__(places, core, nice)
        self.seconds = seconds
        self.script = places.work / "post.lua"
        # Every answer is compared: a fast error is no answer.
        self.script.write_text(f"""wrk.method, wrk.body = "POST", '{{"name":"{NAME}"}}'
wrk.headers["Content-Type"] = "application/json"
bad = 0
function response(status, headers, body) if status ~= 200 or body ~= '{{"message":"{REPLY}"}}' then bad = bad + 1 end end
threads = {{}}
function setup(thread) table.insert(threads, thread) end
function done(summary) for _, thread in ipairs(threads) do print("wrong answers: " .. thread:get("bad")) end end
""")

    def command(self, scenario, address, requests):
        return ["wrk", "-t", "1", "-c", str(scenario.connections), "-d", f"{max(1, round(self.seconds))}s", "--latency", "-s", str(self.script),
                f"http://{address}{METHOD}"]

    def result(self, output, _):
        answered = re.search(r"(\d+) requests in", output)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
        if not (answered and rate) or "wrong answers: 0" not in output or "Socket errors" in output:
            raise Failure(f"wrk: not all was answered as it should be:\n{output}")
        microseconds = {"us": 1, "ms": 1e3, "s": 1e6}
        latencies = {f"p{share}_us": float(value) * microseconds[unit]
                     for share, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", output)}
        return {"requests": int(answered[1]), "rps": float(rate[1]), **latencies}


class GoMicroLoad(Load):
    """go-micro's own client: nothing else speaks its RPC. A call has a connection to itself."""

    name = "go-micro client"
    multiplexes = False

    def can(self, server, scenario):
        return server == "go-micro" and scenario.streams == 1

    def command(self, scenario, address, requests):
        return [f"{self.places.go}/gomicroclient", "-c", str(scenario.connections), "-n", str(requests), address]

    def result(self, output, requests):
        result = json.loads(output)
        return {"requests": requests, "rps": requests / max(result["seconds"], 1e-9)}


def result_of(output, requests):
    """What grpc_load and http_load print."""
    result = json.loads(output)
    if result["failed"] or result["ok"] != requests:
        raise Failure(f"of {requests} requests {result['ok']} were answered")
    return {"requests": requests, "rps": result["rps"], **{key: result[key] for key in ("p50_us", "p99_us", "p999_us")}}


def write_body(path, name):
    """The gRPC frame of HelloRequest{name}, for h2load."""
    text = name.encode()
    size, length = b"", len(text)
    while length >= 0x80:
        size, length = size + bytes([length & 0x7F | 0x80]), length >> 7
    message = b"\x0a" + size + bytes([length]) + text
    path.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
