"""Tables out of samples. A sample is a dict: suite, server, load, scenario, cpu_us, rps and maybe user_share, wait_share, p50_us ..."""

import statistics

import clients
from suites import EXTRA, SUITES


class Table:
    """The samples of one suite, by row (load, scenario) and server."""

    def __init__(self, samples):
        self.servers = unique(sample["server"] for sample in samples)
        self.rows = unique((sample["load"], sample["scenario"]) for sample in samples)
        self.cells = {}
        for sample in samples:
            self.cells.setdefault((sample["load"], sample["scenario"], sample["server"]), []).append(sample)

    def values(self, row, server, key):
        return [sample[key] for sample in self.cells.get((*row, server), []) if key in sample]

    def ratio(self, row, rivals, summary=min):
        """How many times less processor time than the best of `rivals`; None when one side was not measured."""
        ours = self.values(row, "micro", "cpu_us")
        theirs = [summary(times) for times in (self.values(row, rival, "cpu_us") for rival in rivals) if times]
        return min(theirs) / summary(ours) if ours and theirs else None

    def of_floor(self, row):
        ours, floor = self.values(row, "micro", "cpu_us"), self.values(row, "floor", "cpu_us")
        return min(ours) / min(floor) if ours and floor else None

    def cpu(self, rivals):
        def cell(row, server):
            times = self.values(row, server, "cpu_us")
            return f"{min(times):.2f} ({statistics.median(times):.2f})" if times else "-"

        def extra(row):
            best, typical = self.ratio(row, rivals), self.ratio(row, rivals, statistics.median)
            return [f"{best:.1f} ({typical:.1f})" if best else "-"]

        return self.table(cell, ["x less than the best peer"], extra)

    def user(self):
        return self.table(lambda row, server: self._median(row, server, "user_share", lambda share: f"{100 * share:.0f} %"))

    def rps(self):
        def cell(row, server):
            rates = self.values(row, server, "rps")
            return f"{thousands(max(rates))} ({thousands(statistics.median(rates))})" if rates else "-"

        return self.table(cell)

    def latency(self, keys=("p50_us", "p99_us")):
        def cell(row, server):
            return " / ".join(self._median(row, server, key, lambda value: f"{value:.0f}") for key in keys)

        rows = [row for row in self.rows if any(self.values(row, server, keys[0]) for server in self.servers)]
        return self.table(cell, rows=rows) if rows else None

    def _median(self, row, server, key, text):
        values = self.values(row, server, key)
        return text(statistics.median(values)) if values else "-"

    def table(self, cell, extra_titles=(), extra_cells=lambda row: [], rows=None):
        lines = [["load", "scenario", *self.servers, *extra_titles]]
        for row in self.rows if rows is None else rows:
            lines.append([*row, *(cell(row, server) for server in self.servers), *extra_cells(row)])
        return markdown_table(lines)

    def verdicts(self, rivals, targets, floor_targets):
        for row in self.rows:
            ratio, floor = self.ratio(row, rivals), self.of_floor(row)
            if row[1] in targets and ratio is not None:
                yield (f"{row[0]} {row[1]}: {ratio:.1f} times less processor time than the best peer, aim {targets[row[1]]:g}: "
                       + ("met" if ratio >= targets[row[1]] else "missed"))
            if row[1] in floor_targets and floor is not None:
                yield (f"{row[0]} {row[1]}: {floor:.2f} times the floor, aim at most {floor_targets[row[1]]:g}: "
                       + ("met" if floor <= floor_targets[row[1]] else "missed"))


TABLES = {
    "cpu": ("Processor time of the server per {unit} in microseconds, best round (median round). Lower is better.", None),
    "user": ("Share of it in user mode, median round:", Table.user),
    "rps": ("{unit}s per second, best round (median round); load generators have limits of their own.", Table.rps),
    "latency": ("Latency p50 / p99 in microseconds under that full load (closed loop), median round:", Table.latency),
    "tail": ("Latency p50 / p99 / p999 in microseconds from the time each request was due, median round:",
             lambda table: table.latency(("p50_us", "p99_us", "p999_us"))),
}


def section(name, samples):
    """Title, tables and verdicts of one suite as lines of Markdown."""
    if name == "idle":
        return idle_section(samples)
    if name == "client":
        table, rivals = Table(samples), ("grpc++ callback", "grpc-go")
        return [f"## {EXTRA[name]}", "", "Of the calling process per call in microseconds, best round (median round):", "", table.cpu(rivals), "",
                *(f"- {line}" for line in table.verdicts(rivals, clients.TARGETS, {})), ""]
    suite, table = SUITES[name], Table(samples)
    lines = [f"## {suite.title}", ""]
    for kind in suite.tables:
        title, make = TABLES[kind]
        text = table.cpu(suite.rivals) if make is None else make(table)
        if text is None:
            continue
        title = title.format(unit=suite.unit)
        lines += [title[0].upper() + title[1:], "", text, ""]
        if kind == "cpu":
            lines += [*(f"- {line}" for line in table.verdicts(suite.rivals, suite.targets, suite.floor_targets)), ""]
    return lines


def idle_section(samples):
    counts = unique(sample["scenario"] for sample in samples)
    lines = [["server", "at rest, MiB", *(f"{count} connections, KiB each" for count in counts)]]
    for server in unique(sample["server"] for sample in samples):
        own = [sample for sample in samples if sample["server"] == server]
        lines.append([server, f"{own[0]['base_kib'] / 1024:.1f}", *(f"{sample['kib']:.1f}" for sample in own)])
    return [f"## {EXTRA['idle']}", "", "Each connection has served one request. Resident memory of the process; the kernel's part is not in it.",
            "", markdown_table(lines), ""]


def waited(samples):
    """The largest and the median share of time a server wanted to run but could not."""
    shares = [sample["wait_share"] for sample in samples if "wait_share" in sample] or [0]
    return max(shares), statistics.median(shares)


def markdown(samples, setup):
    worst, typical = waited(samples)
    parts = ["# Benchmarks: one core for the server, one for the load", ""]
    for name in unique(sample["suite"] for sample in samples):
        parts += section(name, [sample for sample in samples if sample["suite"] == name])
    parts += [*(f"- {line}" for line in setup["skipped"]), "",
              f"Quiet machine? Servers waited for their core {100 * typical:.0f} % of the time (median), {100 * worst:.0f} % at worst. "
              "Above a few percent, trust the best rounds only.", "",
              "## Setup", "", *[f"- {key}: {value}" for key, value in setup["machine"].items()],
              f"- rounds: {setup['rounds']}, about {setup['seconds']} s a measurement, niceness {setup['nice']}; Go servers with GOMAXPROCS=1", "",
              "Commands (ports differ from run to run; grpc_load -M in scenarios that end in m):", "", "```", *setup["commands"], "```", ""]
    return "\n".join(parts)


def thousands(rate):
    return f"{rate / 1000:.0f}k" if rate >= 10_000 else f"{rate / 1000:.1f}k"


def unique(items):
    return list(dict.fromkeys(items))


def markdown_table(lines):
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)
