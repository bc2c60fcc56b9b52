"""Tables out of samples. A sample is a dict: server, load, scenario, cpu_us, user_share, wait_share, rps and maybe p50_us, p99_us."""

import statistics

from servers import GRPCPP

# Processor time per call of the better grpc++ server divided by ours must be at least this.
TARGETS = {"1x100": 8.0, "100x1": 2.0}


class Report:
    def __init__(self, samples):
        self.servers = unique(sample["server"] for sample in samples)
        self.rows = unique((sample["load"], sample["scenario"]) for sample in samples)
        self.cells = {}
        for sample in samples:
            self.cells.setdefault((sample["load"], sample["scenario"], sample["server"]), []).append(sample)

    def values(self, row, server, key):
        return [sample[key] for sample in self.cells.get((*row, server), []) if key in sample]

    def ratio(self, row, summary):
        """Times less processor time per call than the better grpc++ server; None when one side was not measured."""
        ours = self.values(row, "micro", "cpu_us")
        theirs = [summary(times) for times in (self.values(row, peer, "cpu_us") for peer in GRPCPP) if times]
        return min(theirs) / summary(ours) if ours and theirs else None

    def cpu_table(self):
        def cell(row, server):
            times = self.values(row, server, "cpu_us")
            return f"{min(times):.2f} ({statistics.median(times):.2f})"

        def ratios(row):
            best, typical = self.ratio(row, min), self.ratio(row, statistics.median)
            return [f"{best:.1f} ({typical:.1f})"] if best else ["-"]

        return self.table(cell, ["x less than grpc++"], ratios)

    def user_table(self):
        return self.table(lambda row, server: f"{100 * statistics.median(self.values(row, server, 'user_share')):.0f} %")

    def rps_table(self):
        def cell(row, server):
            rates = self.values(row, server, "rps")
            return f"{max(rates) / 1000:.0f}k ({statistics.median(rates) / 1000:.0f}k)"

        return self.table(cell)

    def latency_table(self):
        def cell(row, server):
            return " / ".join(f"{statistics.median(self.values(row, server, key)):.0f}" for key in ("p50_us", "p99_us"))

        return self.table(cell, rows=[row for row in self.rows if self.values(row, self.servers[0], "p50_us")])

    def table(self, cell, extra_titles=(), extra_cells=lambda row: [], rows=None):
        lines = [["load", "scenario", *self.servers, *extra_titles]]
        for row in self.rows if rows is None else rows:
            lines.append([*row, *(cell(row, server) for server in self.servers), *extra_cells(row)])
        return markdown_table(lines)

    def waited(self):
        """The largest and the median share of time a server wanted to run but could not."""
        shares = [sample["wait_share"] for samples in self.cells.values() for sample in samples]
        return max(shares), statistics.median(shares)

    def verdicts(self):
        lines = []
        for row in self.rows:
            ratio = self.ratio(row, min)
            if row[1] not in TARGETS or ratio is None:
                continue
            target = TARGETS[row[1]]
            outcome = "met" if ratio >= target else "missed"
            lines.append(f"{row[0]} {row[1]}: {ratio:.1f} times less processor time per call than grpc++, target {target:.0f}: {outcome}")
        return lines

    def markdown(self, setup):
        worst, typical = self.waited()
        parts = [
            "# Unary Hello, 10-byte name: one core for the server, one for the load", "",
            "Processor time of the server per request in microseconds, best round (median round). Lower is better.", "",
            self.cpu_table(), "",
            *[f"- {line}" for line in self.verdicts()], "",
            "Share of it in user mode, median round:", "", self.user_table(), "",
            "Requests per second, best round (median round). h2load itself ends at about 300k.", "", self.rps_table(), "",
            "Latency p50 / p99 in microseconds under that full load (closed loop), median round:", "", self.latency_table(), "",
            f"Quiet machine? Servers waited for their core {100 * typical:.0f} % of the time (median), {100 * worst:.0f} % at worst. "
            "Above a few percent, trust the best rounds only.", "",
            "## Setup", "", *[f"- {key}: {value}" for key, value in setup["machine"].items()],
            f"- rounds: {setup['rounds']}, about {setup['seconds']} s a measurement, niceness {setup['nice']}", "",
            "Commands (ports differ from run to run; -M is added in scenarios that end in m):", "", "```", *setup["commands"], "```", "",
        ]
        return "\n".join(parts)


def unique(items):
    return list(dict.fromkeys(items))


def markdown_table(lines):
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)
