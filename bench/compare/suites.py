"""What is measured, suite by suite: which servers, by which load, in which scenarios, and how the samples become tables."""

import dataclasses

import clients
import idle
import middleware
from loads import GoMicroLoad, GrpcLoad, H2load, HttpRateLoad, ManyLoad, RateLoad, Scenario, StreamLoad, Wrk
from servers import Failure

FIRST_GUESS = 2000  # requests of a first run that only tells how fast this server is here
WARM_UP = 0.2       # share of a measurement that is run before it and not counted

GRPC = ["floor", "micro", "grpc++ callback", "grpc++ cq", "grpc-go"]
PEERS = ["grpc++ callback", "grpc-go"]


@dataclasses.dataclass
class Suite:
    title: str
    servers: list
    scenarios: list
    loads: object  # (places, core, nice, seconds) -> list of Load
    unit: str = "request"
    rivals: tuple = ("grpc++ callback", "grpc++ cq", "grpc-go")  # the best of these is what "micro" is compared with
    targets: dict = dataclasses.field(default_factory=dict)  # scenario -> times less than the best rival
    floor_targets: dict = dataclasses.field(default_factory=dict)  # scenario -> at most so many times the floor
    p99_targets: dict = dataclasses.field(default_factory=dict)  # load -> at most so many microseconds
    calls_targets: dict = dataclasses.field(default_factory=dict)  # rival -> times less with as many calls outstanding
    tables: tuple = ("cpu", "user", "rps", "latency")


SUITES = {
    "unary": Suite("Unary gRPC, 10-byte name", GRPC, ["1x1", "1x100", "10x10", "10x10m", "100x1", "100x10"],
                   lambda *setup: [H2load(*setup[:3]), GrpcLoad(*setup[:3])],
                   targets={"1x100": 12, "10x10": 9, "100x1": 3}, floor_targets={"100x1": 1.35}),
    "size": Suite("Larger messages: the name has 1 KiB, 1 MiB", ["micro", *PEERS], ["1x1", "1x10", "10x10", "100x1"],
                  lambda *setup: [H2load(*setup[:3], 1 << 10), H2load(*setup[:3], 1 << 20)], targets={"1x1": 1, "1x10": 1, "10x10": 1, "100x1": 1},
                  tables=("cpu", "rps")),
    "stream": Suite("Streaming, 1,000 messages a call: from the server (Countdown), from the client (Collect), both ways (Chat)",
                    ["micro", *PEERS], ["1x1", "10x10"],
                    lambda *setup: [StreamLoad(*setup[:3], *each) for each in (("Countdown", "-S"), ("Collect", "-C"), ("Chat", "-B"))],
                    unit="message", tables=("cpu", "rps")),
    "rate": Suite("Latency of unary calls at a fixed rate", GRPC, ["20x100"],
                  lambda *setup: [RateLoad(*setup[:3], rate) for rate in (20_000, 40_000)], tables=("tail", "cpu"),
                  p99_targets={"40000/s": 1000}),
    "http": Suite("HTTP/1.1, JSON both ways", ["floor", "micro", "net/http", "nginx"], ["1x1", "10x1", "100x1"],
                  lambda *setup: [Wrk(*setup)], rivals=("net/http",), targets={"100x1": 1.8}, floor_targets={"100x1": 1.2}),
    "http-rate": Suite("Latency of HTTP/1.1 and JSON at a fixed rate", ["floor", "micro", "net/http", "nginx"], ["100x1"],
                       lambda *setup: [HttpRateLoad(*setup[:3], rate) for rate in (20_000, 40_000)], rivals=("net/http",),
                       tables=("tail", "cpu"), p99_targets={"40000/s": 1000}),
    "many": Suite("Many connections, and two loops", ["floor", "micro", "micro 2 loops"], ["100x1", "1000x1", "10000x1"],
                  lambda *setup: [ManyLoad(*setup[:3])], tables=("cpu", "rps")),
    "go-micro": Suite("go-micro's own RPC by its own client, and beside it ours: gRPC (grpc_load), HTTP/1.1 and JSON (wrk)",
                      ["go-micro", "micro"], ["10x1", "1x10", "100x1", "1x100"],
                      lambda *setup: [GoMicroLoad(*setup[:3]), GrpcLoad(*setup[:3]), Wrk(*setup)], rivals=("go-micro",),
                      tables=("calls", "rps"), calls_targets={"go-micro": 100}),
}
EXTRA = {"client": "Clients: processor time of the caller", "idle": "Memory of idle connections",
         "middleware": "Middleware: what recovery, deadline and access log add to a call"}


def measure(server, load, scenario, seconds, speeds):
    """One sample. `speeds` remembers the requests per second of (server, load, scenario), to choose how many to send."""
    key = (server.name, load.name, scenario.text)
    timeout = 60 + 20 * seconds
    fixed = getattr(load, "rate", None)
    least = 1 if fixed else scenario.outstanding()
    requests_for = lambda duration: max(least, int((fixed or speeds[key]) * duration))
    if key not in speeds:
        speeds[key] = load.run(scenario, server.address, max(least, 200 if "MiB" in load.name else FIRST_GUESS), timeout)["rps"]
    speeds[key] = load.run(scenario, server.address, requests_for(WARM_UP * seconds), timeout)["rps"]

    before = server.cpu_seconds(), server.user_seconds(), server.wait_seconds()
    result = load.run(scenario, server.address, requests_for(seconds), timeout)
    after = server.cpu_seconds(), server.user_seconds(), server.wait_seconds()
    cpu, user, waited = (now - then for then, now in zip(before, after))
    return {"server": server.name, "load": load.name, "scenario": scenario.text, **result, "cpu_us": 1e6 * cpu / result["requests"],
            "user_share": min(1.0, user / cpu), "wait_share": waited / (waited + cpu)}


def run(name, chosen, places, running, progress):
    """All samples of one suite: rounds are interleaved between the servers."""
    if name == "client":
        return clients.run(chosen, places, running("micro"), progress)
    if name == "idle":
        return idle.run(chosen, running, progress)
    if name == "middleware":
        return middleware.run(chosen, places, progress)
    suite = SUITES[name]
    servers = [running(server) for server in chosen.servers if server in suite.servers]
    loads = [load for load in suite.loads(places, chosen.load_core, chosen.nice, chosen.seconds)
             if not chosen.loads or load.name in chosen.loads]
    samples, speeds = [], {}
    for round_number in range(chosen.rounds):
        for text in chosen.scenarios or suite.scenarios:
            scenario = Scenario(text)
            for load in loads:
                for server in servers:
                    if not load.can(server.name, scenario):
                        continue
                    try:
                        sample = {"suite": name, "round": round_number, **measure(server, load, scenario, chosen.seconds, speeds)}
                    except Failure as failure:
                        raise Failure(f"{server.name}, {scenario.text}: {failure}\n{server.state()}") from None
                    samples.append(sample)
                    progress(f"{name:9}  round {round_number + 1}/{chosen.rounds}  {load.name:14}  {scenario.text:7}  {server.name:16}"
                             f"{sample['cpu_us']:9.2f} us/{suite.unit}  {sample['rps']:9.0f}/s")
    return samples


def commands(names, places, chosen):
    """The load commands of these suites, figures left out."""
    shown = []
    for name in names:
        if name in SUITES:
            shown += [load.shown() for load in SUITES[name].loads(places, chosen.load_core, chosen.nice, chosen.seconds)]
        if name == "middleware":
            shown.append(middleware.command(chosen, places))
    return shown
