"""bench/run.sh: servers on one core, load on another, rounds interleaved between the servers, one table at the end."""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys

import machine
from loads import LOADS, Load, Placeholder, Scenario, write_body
from report import Report
from servers import COMMANDS, NAME, Failure, Server

FIRST_GUESS = 2000  # requests of a first run that only tells how fast this server is here
WARM_UP = 0.2       # share of a measurement that is run before it and not counted


def options():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="Compares unary gRPC servers by processor time per call.")
    names = lambda text: [part.strip() for part in text.split(",")]
    parser.add_argument("--build", default="build/bench", help="build directory of the preset 'bench' (%(default)s)")
    parser.add_argument("--servers", type=names, default=list(COMMANDS), help=f"some of: {', '.join(COMMANDS)}")
    parser.add_argument("--loads", type=names, default=list(LOADS), help=f"some of: {', '.join(LOADS)}")
    parser.add_argument("--scenarios", type=names, default=["1x1", "1x100", "10x10", "10x10m", "100x1", "100x10"],
                        help="CONNECTIONSxSTREAMS,...; a trailing m: with metadata in every request (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=1.0, help="aimed length of one measurement (%(default)s)")
    parser.add_argument("--cores", default="0,1", help="core of the servers, core of the load (%(default)s)")
    parser.add_argument("--nice", type=int, default=0, help="for servers and load; -10 on a shared machine, needs root (%(default)s)")
    parser.add_argument("--out", help="result folder (bench/results/<date>-<machine>)")
    parser.add_argument("--profile", action="store_true", help="no table: the server's hottest functions, by perf")
    parser.add_argument("--lines", type=int, default=30, help="of a profile (%(default)s)")
    chosen = parser.parse_args()
    for kind, given, known in (("server", chosen.servers, COMMANDS), ("load", chosen.loads, LOADS)):
        for name in given:
            if name not in known:
                parser.error(f"no {kind} '{name}' (there are: {', '.join(known)})")
    try:
        chosen.scenarios = [Scenario(text) for text in chosen.scenarios]
    except ValueError as error:
        parser.error(str(error))
    chosen.server_core, chosen.load_core = map(int, chosen.cores.split(","))
    chosen.bin = f"{chosen.build}/bin"
    programs = [COMMANDS[name][0].format(bin=chosen.bin) for name in chosen.servers]
    programs += [f"{chosen.bin}/grpcpp_check", f"{chosen.bin}/grpc_load", "h2load", "taskset"]
    for program in programs:
        if not shutil.which(program):
            parser.error(f"{program} is missing: 'make bench' installs and builds what this needs")
    if not {chosen.server_core, chosen.load_core} <= os.sched_getaffinity(0):
        parser.error(f"cores {chosen.cores}: this process may only use {sorted(os.sched_getaffinity(0))}; two are needed")
    return chosen


def check_reply(server, bin_dir):
    done = subprocess.run([f"{bin_dir}/grpcpp_check", server.address, NAME], capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        raise Failure(f"{server.name} did not greet a grpc++ client: {done.stdout}{done.stderr}{server.log_tail()}")


def measure(server, load, scenario, seconds, speeds):
    """One sample. `speeds` remembers the requests per second of (server, load, scenario), to choose how many to send."""
    key = (server.name, load.name, scenario.text)
    timeout = 30 + 20 * seconds
    least = scenario.connections * scenario.streams
    requests_for = lambda duration: max(least, FIRST_GUESS, int(speeds[key] * duration))
    if key not in speeds:
        speeds[key] = load.run(scenario, server.address, max(least, FIRST_GUESS), timeout)["rps"]
    speeds[key] = load.run(scenario, server.address, requests_for(WARM_UP * seconds), timeout)["rps"]

    before = server.cpu_seconds(), server.user_seconds(), server.wait_seconds()
    result = load.run(scenario, server.address, requests_for(seconds), timeout)
    after = server.cpu_seconds(), server.user_seconds(), server.wait_seconds()
    cpu, user, waited = (now - then for then, now in zip(before, after))
    return {"server": server.name, "load": load.name, "scenario": scenario.text, **result,
            "cpu_us": 1e6 * cpu / result["requests"], "user_share": min(1.0, user / cpu), "wait_share": waited / (waited + cpu)}


def compare(chosen, servers, loads):
    samples, speeds = [], {}
    for round_number in range(chosen.rounds):
        for scenario in chosen.scenarios:
            for load in filter(lambda load: load.can_run(scenario), loads):
                for server in servers:
                    try:
                        sample = {"round": round_number, **measure(server, load, scenario, chosen.seconds, speeds)}
                    except Failure as failure:
                        raise Failure(f"{server.name}, {scenario.text}: {failure}\n{server.state()}") from None
                    samples.append(sample)
                    print(f"round {round_number + 1}/{chosen.rounds}  {load.name:9}  {scenario.text:7}  {server.name:16}"
                          f"{sample['cpu_us']:8.2f} us/request  {sample['rps']:9.0f} requests/s", file=sys.stderr)
    return samples


def write_results(chosen, servers, loads, samples):
    date = datetime.date.today().isoformat()
    folder = pathlib.Path(chosen.out or f"bench/results/{date}-{machine.slug()}")
    folder.mkdir(parents=True, exist_ok=True)
    commands = [server.command for server in servers] + [load.command(Placeholder(), "ADDRESS", "N") for load in loads]
    commands = [shlex.join(command) for command in commands]
    setup = {"machine": machine.describe(chosen.build), "rounds": chosen.rounds, "seconds": chosen.seconds, "nice": chosen.nice, "commands": commands}
    report = Report(samples)
    (folder / "results.md").write_text(report.markdown(setup))
    (folder / "results.json").write_text(json.dumps({**setup, "samples": samples}, indent=1) + "\n")
    print("\n".join(["", "CPU us/request of the server, best round (median):", report.cpu_table(), "", *report.verdicts()]))
    print(f"More in {folder}/results.md")


def profile(chosen, server, load):
    scenario = chosen.scenarios[0]
    speeds = {}
    sample = measure(server, load, scenario, 1.0, speeds)
    print(f"{server.name}, {scenario.text}: {sample['cpu_us']:.2f} us/request, {100 * sample['user_share']:.0f} % in user mode")
    data = f"{chosen.build}/perf.data"
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-g", "-p", str(server.process.pid), "-o", data]
    perf = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        load.run(scenario, server.address, int(sample["rps"] * chosen.seconds), 30 + 20 * chosen.seconds)
    finally:
        perf.send_signal(signal.SIGINT)
        perf.wait()
    shown = subprocess.run(["perf", "report", "-i", data, "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.4"],
                           capture_output=True, text=True)
    lines = [line.rstrip() for line in shown.stdout.splitlines() if line.strip() and not line.startswith("#")]
    print("\n".join(lines[: chosen.lines]))
    print(f"Callers and annotated code: perf report -i {data} --no-children")


def main():
    chosen = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended on the way out
    body = pathlib.Path(chosen.build) / "hello.bin"
    write_body(body)
    loads = [Load(name, chosen.bin, chosen.load_core, chosen.nice, str(body)) for name in chosen.loads]
    with contextlib.ExitStack() as running:
        servers = []
        for name in chosen.servers:
            server = Server(name, chosen.bin, chosen.server_core, chosen.nice, f"{chosen.build}/bench-logs")
            servers.append(running.enter_context(server))
            check_reply(server, chosen.bin)
        if chosen.profile:
            profile(chosen, servers[0], loads[0])
        else:
            write_results(chosen, servers, loads, compare(chosen, servers, loads))


try:
    main()
except Failure as failure:
    sys.exit(f"bench: {failure}")
except KeyboardInterrupt:
    sys.exit(130)
