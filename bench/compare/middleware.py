"""The middleware suite: what the middleware that every service has adds to a call. Less than the noise of a call over a socket, so it is
measured without one, by a benchmark of its component."""

import json
import subprocess

from servers import Failure, pinned, prioritise

ALONE = "BM_NoMiddleware"
BEHIND = {"BM_UsualMiddleware/0": "without a deadline", "BM_UsualMiddleware/1": "the caller gives a deadline"}
TARGET = 0.25  # us a call


def command(chosen, places):
    return pinned([places.fill("{bin}/middleware_bench", ""), f"--benchmark_min_time={min(0.3, chosen.seconds)}", "--benchmark_format=json",
                   f"--benchmark_repetitions={chosen.rounds}"], chosen.server_core)


def run(chosen, places, progress):
    done = subprocess.run(command(chosen, places), capture_output=True, text=True, timeout=60 + 20 * chosen.seconds,
                          preexec_fn=lambda: prioritise(chosen.nice))
    if done.returncode != 0:
        raise Failure(f"{' '.join(command(chosen, places))}: {done.stdout}{done.stderr}")
    times = {}
    for result in json.loads(done.stdout)["benchmarks"]:
        if result["run_type"] == "iteration":
            times.setdefault(result["run_name"], []).append(result["cpu_time"] / 1e3)
    if times.keys() != {ALONE, *BEHIND}:
        raise Failure(f"middleware_bench measured {sorted(times)}")
    samples = []
    for name, scenario in BEHIND.items():
        for round_number, (with_it, without) in enumerate(zip(times[name], times[ALONE])):
            samples.append({"suite": "middleware", "round": round_number, "scenario": scenario, "us": with_it, "us_without": without})
        progress(f"middleware {scenario}: {min(times[name]):.3f} us, and {min(times[ALONE]):.3f} us without any")
    return samples
