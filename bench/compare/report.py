"""Tables out of samples. A sample is a dict: suite, server, load, scenario, cpu_us, rps and maybe user_share, wait_share, p50_us ..."""

import statistics

import clients
import idle
import middleware
from loads import Scenario
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
        def extra(row):
            best, typical = self.ratio(row, rivals), self.ratio(row, rivals, statistics.median)
            return [f"{best:.1f} ({typical:.1f})" if best else "-"]

        return self.table(self._cpu_cell, ["x less than the best peer"], extra)

    def _cpu_cell(self, row, server):
        times = self.values(row, server, "cpu_us")
        return f"{min(times):.2f} ({statistics.median(times):.2f})" if times else "-"

    def of_as_many_calls(self, rival):
        """(row, row of the rival with as many calls outstanding, times less processor time) of ours, by load and scenario."""
        outstanding = lambda row: Scenario(row[1]).outstanding()
        theirs = {outstanding(row): row for row in self.rows if self.values(row, rival, "cpu_us")}
        for row in self.rows:
            other, ours = theirs.get(outstanding(row)), self.values(row, "micro", "cpu_us")
            if other and ours:
                yield row, other, min(self.values(other, rival, "cpu_us")) / min(ours)

    def calls(self, rival):
        ratios = {row: f"{ratio:.0f} ({other[1]})" for row, other, ratio in self.of_as_many_calls(rival)}
        return self.table(self._cpu_cell, [f"x less than {rival} with as many calls outstanding"], lambda row: [ratios.get(row, "-")])

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
                       + verdict(ratio >= targets[row[1]]))
            if row[1] in floor_targets and floor is not None:
                yield (f"{row[0]} {row[1]}: {floor:.2f} times the floor, aim at most {floor_targets[row[1]]:g}: "
                       + verdict(floor <= floor_targets[row[1]]))

    def tail_verdicts(self, rivals, targets):
        for row in self.rows:
            ours = self.values(row, "micro", "p99_us")
            if row[0] in targets and ours:
                p99 = statistics.median(ours)
                theirs = [statistics.median(values) for values in (self.values(row, rival, "p99_us") for rival in rivals) if values]
                beside = f" (the best peer: {min(theirs) / 1000:.2f} ms)" if theirs else ""
                yield (f"{row[0]} {row[1]}: p99 {p99 / 1000:.2f} ms{beside}, aim at most {targets[row[0]] / 1000:g} ms: "
                       + verdict(p99 <= targets[row[0]]))

    def calls_verdicts(self, targets):
        for rival, target in targets.items():
            for row, other, ratio in self.of_as_many_calls(rival):
                yield (f"{row[0]} {row[1]}: {ratio:.0f} times less processor time than {rival} with as many calls outstanding ({other[1]}), "
                       f"aim {target}: " + verdict(ratio >= target))


TABLES = {
    "cpu": ("Processor time of the server per {unit} in microseconds, best round (median round). Lower is better.",
            lambda table, suite: table.cpu(suite.rivals)),
    "calls": ("Processor time of the server per {unit} in microseconds, best round (median round). A {rivals} connection carries one call at a "
              "time, so it is compared by the calls outstanding.", lambda table, suite: table.calls(suite.rivals[0])),
    "user": ("Share of it in user mode, median round:", lambda table, _: table.user()),
    "rps": ("{unit}s per second, best round (median round); load generators have limits of their own.", lambda table, _: table.rps()),
    "latency": ("Latency p50 / p99 in microseconds under that full load (closed loop), median round:", lambda table, _: table.latency()),
    "tail": ("Latency p50 / p99 / p999 in microseconds from the time each request was due, median round:",
             lambda table, _: table.latency(("p50_us", "p99_us", "p999_us"))),
}


def section(name, samples):
    """Title, tables and verdicts of one suite as lines of Markdown."""
    if name == "idle":
        return idle_section(samples)
    if name == "middleware":
        return middleware_section(samples)
    if name == "client":
        table, rivals = Table(samples), ("grpc++ callback", "grpc-go")
        return [f"## {EXTRA[name]}", "", "Of the calling process per call in microseconds, best round (median round):", "", table.cpu(rivals), "",
                *itemized(table.verdicts(rivals, clients.TARGETS, {}))]
    suite, table = SUITES[name], Table(samples)
    lines = [f"## {suite.title}", ""]
    for kind in suite.tables:
        title, make = TABLES[kind]
        text = make(table, suite)
        if text is None:
            continue
        title = title.format(unit=suite.unit, rivals=suite.rivals[0])
        lines += [title[0].upper() + title[1:], "", text, ""]
        verdicts = {"cpu": lambda: table.verdicts(suite.rivals, suite.targets, suite.floor_targets),
                    "tail": lambda: table.tail_verdicts(suite.rivals, suite.p99_targets),
                    "calls": lambda: table.calls_verdicts(suite.calls_targets)}
        lines += itemized(verdicts[kind]() if kind in verdicts else [])
    return lines


def idle_section(samples):
    counts = unique(sample["scenario"] for sample in samples)
    lines = [["server", "at rest, MiB", *(f"{count} connections, KiB each" for count in counts)]]
    for server in unique(sample["server"] for sample in samples):
        own = [sample for sample in samples if sample["server"] == server]
        lines.append([server, f"{own[0]['base_kib'] / 1024:.1f}", *(f"{sample['kib']:.1f}" for sample in own)])
    return [f"## {EXTRA['idle']}", "", "Each connection has served one request. Resident memory of the process; the kernel's part is not in it.",
            "", markdown_table(lines), "", *itemized(idle_verdicts(samples, counts))]


def idle_verdicts(samples, counts):
    for count in counts:
        kib = {sample["server"]: sample["kib"] for sample in samples if sample["scenario"] == count}
        theirs = {server: kib[server] for server in idle.PEERS if server in kib}
        if "micro" in kib:
            best = min(theirs, key=theirs.get, default=None)
            beside = f" ({best}: {theirs[best]:.1f}, {theirs[best] / kib['micro']:.1f} times as much)" if best and kib["micro"] > 0 else ""
            yield (f"{count} connections: {kib['micro']:.1f} KiB each{beside}, aim at most {idle.TARGET_KIB:g}: "
                   + verdict(kib["micro"] <= idle.TARGET_KIB))


def middleware_section(samples):
    lines, verdicts = [["call", "alone, us", "behind them, us", "difference, us"]], []
    for scenario in unique(sample["scenario"] for sample in samples):
        own = [sample for sample in samples if sample["scenario"] == scenario]
        alone, behind = min(sample["us_without"] for sample in own), min(sample["us"] for sample in own)
        lines.append([scenario, f"{alone:.3f}", f"{behind:.3f}", f"{behind - alone:.3f}"])
        verdicts.append(f"{scenario}: {behind - alone:.3f} us a call, aim at most {middleware.TARGET:g}: "
                        + verdict(behind - alone <= middleware.TARGET))
    return [f"## {EXTRA['middleware']}", "", "Processor time of a call to a handler that does nothing, without sockets, best round:", "",
            markdown_table(lines), "", *itemized(verdicts)]


def verdict(met):
    return "met" if met else "missed"


def itemized(texts):
    """A list and the blank line behind it; nothing for nothing."""
    lines = [f"- {text}" for text in texts]
    return [*lines, ""] if lines else []


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
    if rate < 1000:
        return f"{rate:.0f}"
    return f"{rate / 1000:.0f}k" if rate >= 10_000 else f"{rate / 1000:.1f}k"


def unique(items):
    return list(dict.fromkeys(items))


def markdown_table(lines):
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)
