"""bench/run.sh: servers on one core, load on another, rounds interleaved between the servers, tables at the end."""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request

import gopeers
import machine
import report
import suites
from loads import METHOD, GrpcLoad, Scenario
from servers import COMMANDS, NAME, ON_BOTH_CORES, REPLY, Failure, Places, Server

ALL = [*suites.SUITES, *suites.EXTRA]


def options():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="Compares servers and clients by processor time per call.")
    names = lambda text: [part.strip() for part in text.split(",")]
    parser.add_argument("--build", default="build/bench", help="build directory of the preset 'bench' (%(default)s)")
    parser.add_argument("--suites", type=names, default=ALL, help=f"some of: {', '.join(ALL)}")
    parser.add_argument("--servers", type=names, default=list(COMMANDS), help=f"some of: {', '.join(COMMANDS)}")
    parser.add_argument("--loads", type=names, default=[], help="only these, by the names in the tables (all of the suite)")
    parser.add_argument("--scenarios", type=names, default=[],
                        help="CONNECTIONSxSTREAMS,...; a trailing m: with metadata in every request (those of the suite)")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=1.0, help="aimed length of one measurement (%(default)s)")
    parser.add_argument("--cores", default="0,1", help="core of the servers, core of the load (%(default)s)")
    parser.add_argument("--nice", type=int, default=0, help="for servers and load; -10 on a shared machine, needs root (%(default)s)")
    parser.add_argument("--out", help="result folder (bench/results/<date>-<machine>)")
    parser.add_argument("--profile", action="store_true", help="no table: the server's hottest functions, by perf")
    parser.add_argument("--lines", type=int, default=30, help="of a profile (%(default)s)")
    chosen = parser.parse_args()
    for kind, given, known in (("server", chosen.servers, COMMANDS), ("suite", chosen.suites, ALL)):
        for name in given:
            if name not in known:
                parser.error(f"no {kind} '{name}' (there are: {', '.join(known)})")
    try:
        for text in chosen.scenarios:
            Scenario(text)
    except ValueError as error:
        parser.error(str(error))
    chosen.server_core, chosen.load_core = map(int, chosen.cores.split(","))
    if not {chosen.server_core, chosen.load_core} <= os.sched_getaffinity(0):
        parser.error(f"cores {chosen.cores}: this process may only use {sorted(os.sched_getaffinity(0))}; two are needed")
    built = [f"{chosen.build}/bin/{name}" for name in ("grpcpp_check", "grpc_load", "http_load", "middleware_bench")]
    for program in (*built, "h2load", "wrk", "nginx", "taskset"):
        if not shutil.which(program):
            parser.error(f"{program} is missing: 'make bench' installs and builds what this needs")
    return chosen


def check_reply(server, places):
    """One real call before anything is measured: load generators do not look at everything."""
    if server.name == "go-micro":
        return  # its client, which is also its load, compares every reply
    if server.name in ("net/http", "nginx"):
        request = urllib.request.Request(f"http://{server.address}{METHOD}", json.dumps({"name": NAME}).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            if json.load(reply) != {"message": REPLY}:
                raise Failure(f"{server.name} did not greet")
        return
    done = subprocess.run([f"{places.bin}/grpcpp_check", server.address, NAME], capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        raise Failure(f"{server.name} did not greet a grpc++ client: {done.stdout}{done.stderr}{server.log_tail()}")


class Servers:
    """Starts servers when they are first asked for; all are ended together."""

    def __init__(self, chosen, places, stack):
        self.chosen, self.places, self.stack, self.running = chosen, places, stack, {}

    def __call__(self, name, fresh=False):
        if fresh or name not in self.running:
            core = self.chosen.cores if name in ON_BOTH_CORES else self.chosen.server_core
            server = self.stack.enter_context(Server(name, self.places, core, self.chosen.nice))
            check_reply(server, self.places)
            self.running[name] = server
        return self.running[name]


def write_results(chosen, places, servers, samples, skipped):
    folder = pathlib.Path(chosen.out or f"bench/results/{datetime.date.today().isoformat()}-{machine.slug()}")
    folder.mkdir(parents=True, exist_ok=True)
    commands = [server.command for server in servers.running.values()] + suites.commands(chosen.suites, places, chosen)
    shown = [shlex.join(command).replace(f"{os.getcwd()}/", "") for command in commands]
    about = machine.describe(chosen.build) | ({"Go modules": ", ".join(gopeers.versions())} if places.go else {})
    setup = {"machine": about, "rounds": chosen.rounds, "seconds": chosen.seconds, "nice": chosen.nice, "skipped": skipped,
             "commands": list(dict.fromkeys(shown))}
    text = report.markdown(samples, setup)
    (folder / "results.md").write_text(text)
    (folder / "results.json").write_text(json.dumps({**setup, "samples": samples}, indent=1) + "\n")
    print(text.partition("## Setup")[0])
    print(f"More in {folder}/results.md")


def profile(chosen, places, servers):
    server = servers(chosen.servers[0])
    load = GrpcLoad(places, chosen.load_core, chosen.nice)
    scenario = Scenario((chosen.scenarios or ["1x100"])[0])
    sample = suites.measure(server, load, scenario, 1.0, {})
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
    # Servers and loads inherit it: 10,000 connections and some.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended on the way out
    go, why = gopeers.build(chosen.build)
    skipped = []
    if go is None:
        absent = [name for name in chosen.servers if any("{go}" in part for part in COMMANDS[name])]
        skipped = [f"{name}: {why}" for name in absent]
        chosen.servers = [name for name in chosen.servers if name not in absent]
    progress = lambda line: print(line, file=sys.stderr, flush=True)
    for line in skipped:
        progress(line)
    places = Places(chosen.build, go)
    with contextlib.ExitStack() as stack:
        servers = Servers(chosen, places, stack)
        if chosen.profile:
            return profile(chosen, places, servers)
        samples = []
        for name in chosen.suites:
            samples += suites.run(name, chosen, places, servers, progress)
        write_results(chosen, places, servers, samples, skipped)


try:
    main()
except Failure as failure:
    sys.exit(f"bench: {failure}")
except KeyboardInterrupt:
    sys.exit(130)
