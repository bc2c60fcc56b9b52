"""Runs the fuzz targets one after the other for some seconds each and says what they found.

  run.py --bin build/fuzz/bin --work build/fuzz/fuzz [--seconds 60] [target]...

What is new in coverage is kept in <work>/corpus/<target> for the next run, findings go to <work>/findings/<target>, the output of
libFuzzer to <work>/log/<target>, whose end is printed when a target has failed. The exit status is 1 then.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
# Longer inputs make a run slower and find nothing that shorter ones do not.
MAX_LENGTH = 4096
END_OF_LOG = 6000  # characters


def run(target, arguments):
    """One target for its time: what libFuzzer counted."""
    kept, found, log = (arguments.work / name / target for name in ("corpus", "findings", "log"))
    for folder in (kept, found, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    command = [arguments.bin / f"fuzz_{target}", kept, HERE / "corpus" / target]
    command += [folder for folder in [HERE / "regressions" / target] if folder.is_dir()]
    command += [f"-max_total_time={arguments.seconds}", f"-artifact_prefix={found}/", f"-max_len={MAX_LENGTH}", "-timeout=20",
                "-rss_limit_mb=2048", "-print_final_stats=1", "-close_fd_mask=0"]
    dictionary = HERE / "dictionaries" / f"{target}.dict"
    if dictionary.is_file():
        command.append(f"-dict={dictionary}")
    began = time.monotonic()
    with open(log, "w", errors="replace") as output:
        status = subprocess.run([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    text = log.read_text(errors="replace")
    coverage = re.findall(r"cov: (\d+) ft: (\d+)", text)
    return {"executions": int((re.findall(r"number_of_executed_units: (\d+)", text) or [0])[-1]),
            "seconds": round(time.monotonic() - began), "edges": coverage[-1][0] if coverage else "?",
            "features": coverage[-1][1] if coverage else "?", "findings": sorted(set(found.iterdir()) - before),
            "failure": f"{target} ended with {status}:\n{text[-END_OF_LOG:]}" if status else ""}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="where the fuzz_<target> programs are")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="for what a run leaves behind")
    parser.add_argument("--seconds", type=int, default=60, help="time for each target")
    parser.add_argument("targets", nargs="*", help="all when none is named")
    arguments = parser.parse_args()

    known = sorted(folder.name for folder in (HERE / "corpus").iterdir())
    unknown = set(arguments.targets) - set(known)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are: {' '.join(known)}")

    findings, failures = [], []
    print(f"{'target':18} {'executions':>11} {'seconds':>7} {'edges':>6} {'features':>8}  findings", flush=True)
    for target in arguments.targets or known:
        result = run(target, arguments)
        findings += result["findings"]
        failures += [result["failure"]] if result["failure"] else []
        print(f"{target:18} {result['executions']:11} {result['seconds']:7} {result['edges']:>6} {result['features']:>8}  "
              f"{len(result['findings'])}", flush=True)
    for finding in findings:
        print(f"found: {finding}")
    for failure in failures:
        print(f"\n{failure}")
    if findings:
        print("README.md in test/fuzz says what to do with a finding.")
    return 1 if findings or failures else 0


if __name__ == "__main__":
    sys.exit(main())
