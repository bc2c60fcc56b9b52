"""The load generators: each runs a fixed number of requests and says how fast they were answered."""

import json
import re
import subprocess

from servers import NAME, Failure, pinned, prioritise

METHOD = "/greeter.Greeter/Hello"


class Scenario:
    """Connections x outstanding requests on each; with a trailing 'm' every request carries metadata of its own."""

    def __init__(self, text):
        match = re.fullmatch(r"(\d+)x(\d+)(m?)", text)
        if not match:
            raise ValueError(f"scenario '{text}': expected CONNECTIONSxSTREAMS, for example 10x10")
        self.text = text
        self.connections, self.streams = int(match[1]), int(match[2])
        self.metadata = bool(match[3])


def h2load_command(bin_dir, scenario, address, requests, body):
    return ["h2load", "-t", "1", "-c", str(scenario.connections), "-m", str(scenario.streams), "-n", str(requests), "-d", body,
            "-H", "content-type: application/grpc", "-H", "te: trailers", f"http://{address}{METHOD}"]


def h2load_result(output, requests):
    finished = re.search(r"finished in .*?, ([\d.]+) req/s", output)
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
    answered = re.search(r"status codes: (\d+) 2xx", output)
    if not (finished and counts and answered):
        raise Failure(f"h2load said something unexpected:\n{output}")
    succeeded, failed, errored, timeout = map(int, counts.groups())
    if failed or errored or timeout or succeeded != requests or int(answered[1]) != requests:
        raise Failure(f"h2load: of {requests} requests {succeeded} succeeded and {answered[1]} were answered with HTTP status 2xx")
    return {"requests": requests, "rps": float(finished[1])}


def grpc_load_command(bin_dir, scenario, address, requests, body):
    metadata = ["-M"] if scenario.metadata else []
    return [f"{bin_dir}/grpc_load", "-c", str(scenario.connections), "-m", str(scenario.streams), "-n", str(requests), "-N", NAME,
            "-p", METHOD, *metadata, address]


def grpc_load_result(output, requests):
    result = json.loads(output)
    if result["failed"] or result["ok"] != requests:
        raise Failure(f"grpc_load: of {requests} requests {result['ok']} were answered")
    return {"requests": requests, "rps": result["rps"], "p50_us": result["p50_us"], "p99_us": result["p99_us"]}


LOADS = {"h2load": (h2load_command, h2load_result), "grpc_load": (grpc_load_command, grpc_load_result)}


def write_body(path):
    """The gRPC frame of HelloRequest{name: NAME}, for h2load."""
    name = NAME.encode()
    message = b"\x0a" + bytes([len(name)]) + name
    path.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)


class Placeholder(Scenario):
    """Stands for any scenario where a command is shown."""

    def __init__(self):
        self.text, self.connections, self.streams, self.metadata = "CxM", "C", "M", False


class Load:
    def __init__(self, name, bin_dir, core, nice, body):
        self.name, self.bin_dir, self.core, self.nice, self.body = name, bin_dir, core, nice, body

    def can_run(self, scenario):
        return not (scenario.metadata and self.name == "h2load")  # its headers are the same in every request

    def command(self, scenario, address, requests):
        return pinned(LOADS[self.name][0](self.bin_dir, scenario, address, requests, self.body), self.core)

    def run(self, scenario, address, requests, timeout):
        command = self.command(scenario, address, requests)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                                  preexec_fn=lambda: prioritise(self.nice))
        except subprocess.TimeoutExpired:
            raise Failure(f"not finished after {timeout:.0f} s: {' '.join(command)}") from None
        if done.returncode != 0:
            raise Failure(f"exit status {done.returncode}: {' '.join(command)}\n{done.stdout}{done.stderr}")
        return LOADS[self.name][1](done.stdout, requests)
