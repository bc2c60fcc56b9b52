"""The client suite: the same calls by the clients of several frameworks to one server; each reports its own processor time."""

import json
import subprocess

from loads import Scenario
from servers import Failure, pinned, prioritise

COMMANDS = {"micro": "{bin}/hello_client", "grpc++ callback": "{bin}/grpcpp_client", "grpc-go": "{go}/grpcclient"}
SCENARIOS = ["1x1", "1x100", "10x10", "100x1"]
TARGETS = {"1x100": 6}


def run_client(name, places, chosen, scenario, address, calls):
    command = pinned([places.fill(COMMANDS[name], address), "-c", str(scenario.connections), "-m", str(scenario.streams), "-n", str(calls),
                      address], chosen.load_core)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + 20 * chosen.seconds, preexec_fn=lambda: prioritise(chosen.nice))
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    if result["ok"] != calls:
        raise Failure(f"{name} client: of {calls} calls {result['ok']} were answered")
    return result


def run(chosen, places, server, progress):
    samples, speeds = [], {}
    names = [name for name in COMMANDS if places.go or "{go}" not in COMMANDS[name]]
    for round_number in range(chosen.rounds):
        for text in SCENARIOS:
            scenario = Scenario(text)
            for name in names:
                if (name, text) not in speeds:
                    first = run_client(name, places, chosen, scenario, server.address, 2000)
                    speeds[name, text] = 2000 / max(first["seconds"], 1e-3)
                calls = max(2000, int(speeds[name, text] * chosen.seconds))
                result = run_client(name, places, chosen, scenario, server.address, calls)
                speeds[name, text] = calls / max(result["seconds"], 1e-3)
                cpu_us = 1e6 * result["cpu_seconds"] / calls
                samples.append({"suite": "client", "round": round_number, "server": name, "load": "calls", "scenario": text, "requests": calls,
                                "rps": speeds[name, text], "cpu_us": cpu_us})
                progress(f"client    round {round_number + 1}/{chosen.rounds}  {text:7}  {name:16}{cpu_us:9.2f} us/call  {speeds[name, text]:9.0f}/s")
    return samples
