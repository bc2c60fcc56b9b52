"""Compares a page of flags with what the programs print for --help: flags.py PAGE.md --bin DIRECTORY

A table under "<!-- flags: PROGRAM [SUBCOMMAND], ... -->" lists the flags of these commands. A table without the column "environment"
lists some of them, and only their defaults are compared.
"""

import argparse
import os
import pathlib
import re
import subprocess

# "  --loops NUMBER=0 (Env:MICRO_LOOPS)", "  --registry_address,--registry-address TEXT (Env:...)"
FLAG = re.compile(r"^\s+(--[\w]+)(?:,--[\w-]+)?(?: KEY=VALUE| [A-Z]+(?:=(?P<default>\S+))?)?(?: \.\.\.)? \(Env:(?P<env>\w+)\)", re.M)


def tables(page):
    """(commands, {flag: (environment or None, default)}) for each table."""
    for part in page.read_text().split("<!-- flags: ")[1:]:
        commands, rest = part.split(" -->\n", 1)
        rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")]
                for line in rest.split("\n\n", 1)[0].splitlines()]
        head = rows[0]
        listed = {}
        for row in rows[2:]:
            cells = dict(zip(head, row))
            listed[cells["flag"]] = (cells.get("environment"), cells["default"])
        yield [command.strip() for command in commands.split(",")], listed


def flags_of(command, programs):
    program, *rest = command.split()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MICRO_")}
    done = subprocess.run([programs / program, *rest, "--help"], env=environment, text=True, stdout=subprocess.PIPE, check=True)
    return {m[1]: (m["env"], m["default"] or "") for m in FLAG.finditer(done.stdout)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    faults = []
    compared = 0
    for commands, listed in tables(arguments.page):
        for command in commands:
            real = flags_of(command, arguments.bin)
            whole = all(environment is not None for environment, _ in listed.values())
            for flag in sorted(real.keys() | listed.keys() if whole else listed.keys()):
                compared += 1
                told, is_so = listed.get(flag), real.get(flag)
                if told is None or is_so is None:
                    faults.append(f"{command}: {flag} is {'not on the page' if told is None else 'no flag'}")
                elif told[1] != is_so[1] or told[0] not in (None, is_so[0]):
                    faults.append(f"{command}: {flag}: the page says {told}, --help {is_so}")
    for fault in faults:
        print(fault)
    print(f"{compared} flags compared, {len(faults)} differ")
    return 1 if faults or not compared else 0


if __name__ == "__main__":
    raise SystemExit(main())
