"""Nodes that find each other in etcd, and what callers notice when etcd is killed, hangs, comes back, or has lost its data."""

import json
import sys

import cluster
import etcd_server

FAST = ["--register_interval", "1s", "--register_ttl", "30s"]


class EtcdCase(cluster.ClusterTest):
    def setUp(self):
        super().setUp()
        self.etcd = etcd_server.Etcd(self)

    def where(self):
        return ["--registry", "etcd", "--registry_address", self.etcd.address]

    def wait_join(self, observers, address):
        for each in observers:
            each.wait_line(rf"\[greeter\] node \[{address}\] join")


class EtcdTest(EtcdCase):
    def test_services_are_found_and_called(self):
        done = self.micro("services")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"no service in the etcd registry at {self.etcd.address}", done.stderr)
        first, second = self.node(), self.node()
        self.assertEqual(self.listed(), sorted([first.address, second.address]))
        done = self.micro("call", "greeter", "Greeter.Hello", '{"name":"John"}')
        self.assertEqual((done.returncode, json.loads(done.stdout)), (0, {"message": "Hello John"}), done.stderr)
        done = self.micro("describe", "greeter")
        self.assertIn("  Greeter.Hello  (unary)", done.stdout.splitlines(), done.stderr)
        keys = [line for line in self.etcd.ctl("get", "--prefix", "/micro/registry/", "--keys-only").splitlines() if line]
        self.assertEqual(len(keys), 2)
        for key in keys:
            self.assertRegex(key, r"^/micro/registry/greeter/greeter-[0-9a-f-]{36}$")
        record = json.loads(self.etcd.ctl("get", "--print-value-only", keys[0]))
        self.assertIn(record["nodes"][0]["address"], (first.address, second.address))
        self.wait_join([first], second.address)
        self.terminate(second)
        first.wait_line(rf"\[greeter\] node \[{second.address}\] leave")
        self.assertEqual(self.listed(), [first.address])
        self.terminate(first)
        self.assertEqual(self.etcd.ctl("get", "--prefix", ""), "")

    def test_an_unknown_service_and_no_etcd_are_two_errors(self):
        done = self.micro("call", "greeter", "Greeter.Hello", "{}")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rf"NOT_FOUND.*no node of service .greeter. in etcd registry at {self.etcd.address}")
        self.etcd.kill()
        done = self.micro("call", "greeter", "Greeter.Hello", "{}")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rf"UNAVAILABLE.*etcd registry at {self.etcd.address} does not answer")
        node = self.start("greeter")
        self.assertEqual(node.wait(), 1)
        node.wait_line(rf"cannot register greeter.*{self.etcd.address}")

    def test_the_fleet_of_goms(self):
        layout = ["--registry_layout", "goms"]
        node = self.node("greeter", *layout)
        self.assertEqual(self.etcd.ctl("get", "--prefix", "goms"), f"goms_greeter_{node.address}_{node.address}\n0\n")
        node.wait_line(rf"\[greeter\] node \[{node.address}_{node.address}\] join")
        self.etcd.ctl("put", "goms_user_127.0.0.1:9181_127.0.0.1:9081", "0")
        node.wait_line(r"\[user\] node \[127.0.0.1:9181_127.0.0.1:9081\] join")
        self.etcd.ctl("put", "goms_user_127.0.0.1:9082:9182", "0")
        node.wait_line(r"\[user\] node \[127.0.0.1:9182_127.0.0.1:9082\] join")
        done = self.micro("services", *layout)
        self.assertRegex(done.stdout, r"(?m)^user +127.0.0.1:9182 127.0.0.1:9181$")
        done = self.micro("call", "greeter", "Greeter.Hello", '{"name":"John"}', *layout)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.etcd.ctl("del", "goms_user_127.0.0.1:9181_127.0.0.1:9081")
        node.wait_line(r"\[user\] node \[127.0.0.1:9181_127.0.0.1:9081\] leave")

    def test_layouts_of_kratos_and_go_zero(self):
        for layout, key in (("kratos", r"/microservices/greeter/greeter-[0-9a-f-]{36}"), ("go-zero", r"greeter/\d+")):
            node = self.node("greeter", "--registry_layout", layout)
            self.assertRegex(self.etcd.ctl("get", "--prefix", "", "--keys-only"), rf"(?m)^{key}$")
            done = self.micro("call", "greeter", "Greeter.Hello", '{"name":"John"}', "--registry_layout", layout)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.terminate(node)
        done = self.micro("services", "--registry_layout", "gokit")
        self.assertRegex(done.stderr, r'unknown layout of records "gokit"; there are go-micro, kratos, go-zero, goms, go-garden')


class EtcdLoadTest(EtcdCase):
    def setUp(self):
        super().setUp()
        self.requests = 20_000 // cluster.SLOW
        self.nodes = []

    def begin(self, count):
        self.nodes = [self.node("greeter", *FAST) for _ in range(count)]
        for node in self.nodes:
            self.wait_join(self.nodes, node.address)
        load = self.load("--requests", str(self.requests), "--concurrency", "32", "--rate", str(4000 // cluster.SLOW))
        load.wait_for_thousands(2)
        return load

    def finish(self, load):
        load.wait_for_more()
        sums = load.finish()
        self.assertEqual(sums["failed"], 0, sums)
        self.assertGreaterEqual(sums["calls"], self.requests)
        for node in self.nodes:
            self.assertGreater(sums["nodes"].get(node.address, 0), 0, f"{node.address} gets its share: {sums['nodes']}")
        print(self.id().rsplit(".", 1)[-1], {key: sums[key] for key in ("calls", "failed", "retries", "longest_ms")})

    def add_node(self):
        """Shows that the watches work again."""
        self.nodes.append(self.node("greeter", *FAST))
        self.wait_join(self.nodes, self.nodes[-1].address)

    def test_etcd_is_killed_and_comes_back(self):
        load = self.begin(3)
        self.etcd.kill()
        for node in self.nodes:
            node.wait_line("cannot renew the registration")
        load.wait_for_more()
        self.etcd.start()
        for node in self.nodes:
            node.wait_line("registered again")
        self.add_node()
        self.finish(load)
        self.assertEqual(self.listed(), sorted(node.address for node in self.nodes))

    def test_etcd_hangs_for_a_while(self):
        load = self.begin(3)
        self.etcd.pause()
        for node in self.nodes:
            node.wait_line("cannot renew the registration")
        load.wait_for_more()
        self.etcd.resume()
        for node in self.nodes:
            node.wait_line("registered again")
        self.add_node()
        self.finish(load)

    def test_etcd_comes_back_without_its_data(self):
        load = self.begin(3)
        self.etcd.kill()
        for node in self.nodes:
            node.wait_line("cannot renew the registration")
        self.etcd.wipe()
        self.etcd.start()
        for node in self.nodes:
            node.wait_line("registered again")
        self.add_node()
        self.finish(load)
        self.assertEqual(self.listed(), sorted(node.address for node in self.nodes))

    def test_rolling_restart_of_five(self):
        load = self.begin(5)
        for index in range(5):
            self.terminate(self.nodes[index])
            self.nodes[index] = self.node("greeter", *FAST)
            rest = [node for node in self.nodes if node is not self.nodes[index]]
            self.wait_join(rest, self.nodes[index].address)
            load.wait_for_more()
        self.finish(load)


if __name__ == "__main__":
    if etcd_server.missing():
        print(etcd_server.missing())
        sys.exit(77)
    cluster.main()
