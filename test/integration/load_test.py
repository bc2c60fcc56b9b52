"""Nodes that leave, die and come back while 20,000 calls are made."""

import signal
import time

import cluster


class LoadTest(cluster.ClusterTest):
    def setUp(self):
        super().setUp()
        self.requests = 20_000 // cluster.SLOW
        self.nodes = [self.node() for _ in range(3)]
        for node in self.nodes:
            self.wait_join(self.nodes, node.address)
        self.load_options = ["--requests", str(self.requests), "--concurrency", "32", "--rate", str(4000 // cluster.SLOW)]

    def wait_join(self, observers, address, count=1):
        for each in observers:
            each.wait_line(rf"\[greeter\] node \[{address}\] join", count)

    def wait_leave(self, observers, address):
        for each in observers:
            each.wait_line(rf"\[greeter\] node \[{address}\] leave")

    def assert_all_well(self, sums):
        self.assertEqual(sums["failed"], 0, sums)
        self.assertGreaterEqual(sums["calls"], self.requests)

    def replace(self, index):
        """SIGTERM to a node, and a new one in its place."""
        self.terminate(self.nodes[index])
        self.nodes[index] = self.node()
        return self.nodes[index]


class ByRegistryTest(LoadTest):
    def test_sigterm_loses_nothing(self):
        load = self.load(*self.load_options)
        load.wait_for_thousands(2)
        leaver, *rest = self.nodes
        self.terminate(leaver)
        self.wait_leave(rest, leaver.address)
        self.assertEqual(self.listed(), sorted(node.address for node in rest))
        load.wait_for_more()
        sums = load.finish()
        self.assert_all_well(sums)
        for node in self.nodes:
            self.assertGreater(sums["nodes"][node.address], 0)

    def test_rolling_restart_loses_nothing(self):
        load = self.load(*self.load_options)
        load.wait_for_thousands(2)
        for index in range(3):
            fresh = self.replace(index)
            self.wait_join([node for node in self.nodes if node is not fresh], fresh.address)
            load.wait_for_more()
        sums = load.finish()
        self.assert_all_well(sums)
        for node in self.nodes:
            self.assertGreater(sums["nodes"].get(node.address, 0), 0, "the new nodes get their share")

    def kill_under_load(self, *options):
        # As fast as they are answered, so that many are under way all the time.
        load = self.load("--requests", str(self.requests), "--concurrency", "64", *options)
        load.wait_for_thousands(2)
        victim, *rest = self.nodes
        victim.signal(signal.SIGKILL)
        victim.wait()
        self.assert_vanishes(victim, rest)
        load.wait_for_more()
        sums = load.finish()
        self.assertGreaterEqual(sums["calls"], self.requests)
        return victim, sums

    def test_sigkill_loses_no_idempotent_call(self):
        _, sums = self.kill_under_load()
        self.assert_all_well(sums)

    def test_sigkill_fails_only_calls_on_that_node(self):
        victim, sums = self.kill_under_load("--once")
        self.assertLessEqual(sums["failed"], 64, sums)
        self.assertLessEqual(set(sums["codes"]), {"UNAVAILABLE"}, sums)
        for error in sums["errors"]:
            self.assertIn(victim.address, error)

    def assert_vanishes(self, victim, rest):
        begun = time.monotonic()
        while victim.address in self.listed():
            self.assertLess(time.monotonic() - begun, 1 * cluster.SLOW, "still listed a second after its death")
        self.wait_leave(rest, victim.address)


class ByGatewayTest(LoadTest):
    def setUp(self):
        super().setUp()
        self.gate = self.gateway()
        for node in self.nodes:
            self.wait_join([self.gate], node.address)
        self.path = "/api/greeter/Greeter.Hello"

    def http_load(self):
        return cluster.HttpLoad(self.gate.address, self.path, '{"name":"John"}', self.requests)

    def assert_all_answered(self, counts):
        self.assertEqual(counts["failed"], 0, counts)
        self.assertEqual(counts["2xx"], counts["total"], counts)
        self.assertGreaterEqual(counts["total"], self.requests)

    def test_rolling_restart_loses_nothing(self):
        load = self.http_load()
        load.wait_for_runs()
        for index in range(3):
            gone = self.nodes[index].address
            fresh = self.replace(index)
            self.wait_leave([self.gate], gone)
            self.wait_join([self.gate], fresh.address)
            load.wait_for_more()
        self.assert_all_answered(load.finish())

    def test_sigkill_loses_no_idempotent_call(self):
        load = self.http_load()
        load.wait_for_runs()
        victim = self.nodes[0]
        victim.signal(signal.SIGKILL)
        victim.wait()
        self.wait_leave([self.gate, *self.nodes[1:]], victim.address)
        load.wait_for_more()
        self.assert_all_answered(load.finish())
        seen = {self.post(self.gate.address, self.path, '{"name":"John"}')[1]["X-Micro-Node"] for _ in range(4)}
        self.assertEqual(seen, {node.address for node in self.nodes[1:]})


if __name__ == "__main__":
    cluster.main()
