"""What `micro` prints, and the gateway over several nodes."""

import contextlib
import fcntl
import json
import os
import pathlib
import unicodedata

import cluster

# Clears the screen, rings, changes the colour by the one-byte form of ESC [, deletes, and turns the direction of text around.
EVIL = "e\x1b[2J\x07\u009b31m\x7f\u202e\u2066"
ESCAPED = r"e\u001b[2J\u0007\u009b31m\u007f\u202e\u2066"


def steering(text):
    """The characters of it that a terminal would obey."""
    return "".join(c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n")


class ToolTest(cluster.ClusterTest):
    def test_services(self):
        done = self.micro("services")
        self.assertEqual(done.returncode, 0)
        self.assertIn(f"no service in the local registry in {self.registry}", done.stderr)
        first, second = self.node(), self.node()
        self.node("trouble")
        done = self.micro("services")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(lines[0], ["SERVICE", "VERSION", "NODES"])
        self.assertEqual([line[0] for line in lines[1:]], ["greeter", "trouble"])
        self.assertEqual(sorted(lines[1][2:]), sorted([first.address, second.address]))

    def test_describe(self):
        node = self.node()
        done = self.micro("describe", "greeter")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for line in ["service  greeter", "version  latest", "  Greeter.Hello  (unary)", "    Greets one person by name. Safe to repeat.",
                     "    request HelloRequest", "      name string", "    response HelloReply", "      message string",
                     "  Greeter.Countdown  (server_stream)", "  Greeter.Collect  (client_stream)", "  Greeter.Chat  (bidi_stream)",
                     "      names []string"]:
            self.assertIn(line, done.stdout.splitlines())
        self.assertRegex(done.stdout, rf"(?m)^  {node.address}  greeter-\S+  framework=micro-cpp  protocol=mucp  protocols=grpc,http,mucp  registry=local  server=mucp  transport=http$")
        done = self.micro("describe", "greter")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r'^micro: NOT_FOUND.*no node of service "?greter"? in ')

    @contextlib.contextmanager
    def registered(self, record):
        """As if a node had written it."""
        folder = pathlib.Path(self.registry) / record["name"]
        folder.mkdir(parents=True)
        with open(folder / "one.json", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # what a living node does
            json.dump(record, file)
            file.flush()
            yield

    def test_a_description_of_several_lines(self):
        record = {"name": "talker", "version": "1", "metadata": {}, "nodes": [{"id": "one", "address": "127.0.0.1:1"}],
                  "endpoints": [{"name": "T.Talk", "metadata": {"description": "Says it.\n\nAt length."}}]}
        with self.registered(record):
            self.assertIn("\n    Says it.\n    \n    At length.\n", self.micro("describe", "talker").stdout)

    def test_a_record_cannot_steer_the_terminal(self):
        evil = EVIL
        record = {"name": "evil", "version": evil, "metadata": {}, "endpoints": [{"name": evil, "metadata": {"description": evil}}],
                  "nodes": [{"id": "one", "address": "127.0.0.1:1", "metadata": {"zone": evil}}]}
        with self.registered(record):
            for arguments, word in [(["services"], ESCAPED), (["describe", "evil"], ESCAPED), (["call", "evil", evil], "UNAVAILABLE")]:
                done = self.micro(*arguments)
                printed = done.stdout + done.stderr
                self.assertIn(word, printed, arguments)
                self.assertEqual(steering(printed), "", arguments)

    def test_a_service_cannot_steer_the_terminal(self):
        self.node()
        self.node("trouble")
        done = self.micro("call", "greeter", "Greeter.Hello", json.dumps({"name": EVIL + "é漢"}))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(ESCAPED + "é漢", done.stdout)
        self.assertEqual(steering(done.stdout), "")
        self.assertEqual(json.loads(done.stdout), {"message": "Hello " + EVIL + "é漢"})
        done = self.micro("call", "trouble", "Trouble.Refuse", json.dumps({"text": EVIL}))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(ESCAPED, done.stderr)
        self.assertEqual(steering(done.stderr), "")

    def test_call(self):
        self.node()
        done = self.micro("call", "greeter", "Greeter.Hello", '{"name":"John"}')
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '{"message":"Hello John"}\n', ""))
        for endpoint in ["Hello", "greeter.Greeter/Hello"]:
            self.assertEqual(self.micro("call", "greeter", endpoint, '{"name":"J"}').stdout, '{"message":"Hello J"}\n')
        done = self.micro("call", "greeter", "Greeter.Hello")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^micro: INVALID_ARGUMENT.*field name: expected somebody to greet")
        done = self.micro("call", "greeter", "Greeter.Chat", "{}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("streaming", done.stderr)

    def test_stream(self):
        self.node()
        done = self.micro("stream", "greeter", "Greeter.Countdown", '{"from":2}')
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '{"value":2}\n{"value":1}\n{"value":0}\n', ""))
        done = self.micro("stream", "greeter", "Greeter.Collect", '{"name":"Ann"}', '{"name":"Bob"}')
        self.assertEqual((done.returncode, json.loads(done.stdout)), (0, {"count": 2, "names": ["Ann", "Bob"]}), done.stderr)
        done = self.micro("stream", "greeter", "Greeter.Chat", "-", input='{"text":"one"}\n\n{"text":"two"}')
        self.assertEqual((done.returncode, [json.loads(line)["text"] for line in done.stdout.splitlines()]),
                         (0, ["you said: one", "you said: two"]), done.stderr)
        self.assertEqual(self.micro("stream", "greeter", "Hello", '{"name":"J"}').stdout, '{"message":"Hello J"}\n')
        done = self.micro("stream", "greeter", "Greeter.Countdown")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("INVALID_ARGUMENT", done.stderr)
        done = self.micro("stream", "greeter", "Greeter.Chat", '{"text":"one"}', '{"text":')
        self.assertEqual(done.returncode, 1)
        self.assertIn("message 2", done.stderr)
        self.assertEqual(self.micro("stream", "nobody", "Greeter.Chat").returncode, 1)

    def test_a_stream_that_ends_does_not_wait_for_input(self):
        self.node("trouble")
        # Nobody closes this end before the call has failed.
        reading, writing = os.pipe()
        with open(reading, "rb") as standard_input:
            done = self.micro("stream", "trouble", "Trouble.Nothing", "-", stdin=standard_input)
        os.close(writing)
        self.assertEqual(done.returncode, 1)
        self.assertIn("NO_ENDPOINT", done.stderr)

    def test_wrong_use(self):
        for arguments, word in [(["frobnicate"], "frobnicate"), (["call", "greeter"], "endpoint"), (["describe"], "service"),
                                (["services", "--registry", "etdc"], "local, memory"), (["services", "--timeout", "x"], "timeout")]:
            done = cluster.run("micro", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertTrue(done.stderr.startswith("micro: "), done.stderr)
            self.assertIn(word, done.stderr)
        done = cluster.run("micro")
        self.assertEqual(done.returncode, 2)
        self.assertIn("services", done.stdout + done.stderr)
        for arguments in [["--help"], ["call", "--help"], ["gateway", "--help"]]:
            done = cluster.run("micro", *arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("--registry_address", done.stdout)
        for arguments, help_ in [(["gateway", "--bogus"], "micro gateway"), (["gateway", "--loops", "x"], "micro gateway"),
                                 (["call", "--bogus"], "micro call"), (["--bogus"], "micro")]:
            done = cluster.run("micro", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertTrue(done.stderr.endswith(f"; see {help_} --help\n"), done.stderr)

    def test_versions(self):
        self.assertRegex(cluster.run("micro", "--version").stdout, r"^micro \d+\.\d+\.\d+\n$")
        self.assertRegex(cluster.run("micro", "gateway", "--version").stdout, r"^micro gateway latest \(micro-cpp \d+\.\d+\.\d+\)\n$")

    def test_environment(self):
        node = self.node()
        done = cluster.run("micro", "services", env={"MICRO_REGISTRY_ADDRESS": self.registry})
        self.assertIn(node.address, done.stdout)


class GatewayTest(cluster.ClusterTest):
    def test_json_by_the_nodes_in_turn(self):
        nodes = [self.node() for _ in range(3)]
        gate = self.gateway()
        seen = []
        for _ in range(9):
            status, headers, body = self.post(gate.address, "/api/greeter/Greeter.Hello", '{"name":"John"}')
            self.assertEqual((status, json.loads(body)), (200, {"message": "Hello John"}))
            self.assertEqual(headers["Content-Type"], "application/json")
            seen.append(headers["X-Micro-Node"])
        for turn in range(0, 9, 3):
            self.assertEqual(sorted(seen[turn:turn + 3]), sorted(node.address for node in nodes))

    def test_unknown_service(self):
        gate = self.gateway()
        status, _, body = self.post(gate.address, "/api/nobody/Nobody.Hello", "{}")
        self.assertEqual(status, 404)
        fault = json.loads(body)
        self.assertEqual(fault["code"], "NOT_FOUND")
        self.assertIn("nobody", fault["message"])
        self.assertIn(self.registry, fault["message"])

    def test_status_of_an_error(self):
        self.node()
        gate = self.gateway()
        status, headers, body = self.post(gate.address, "/api/greeter/Greeter.Hello", '{"name":""}')
        self.assertEqual(status, 400)
        self.assertEqual(json.loads(body), {"code": "INVALID_ARGUMENT", "message": "field name: expected somebody to greet"})

    def test_it_waits_for_nobody(self):
        # The gateway may be there first.
        gate = self.gateway()
        self.assertEqual(self.post(gate.address, "/api/greeter/Greeter.Hello", "{}")[0], 404)
        node = self.node()
        gate.wait_line(rf"\[greeter\] node \[{node.address}\] join")
        self.assertEqual(self.post(gate.address, "/api/greeter/Greeter.Hello", '{"name":"John"}')[0], 200)


if __name__ == "__main__":
    cluster.main()
