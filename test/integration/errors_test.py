"""Everything a newcomer gets wrong: the message says what to do, and the process lives on."""

import http.client
import os
import resource
import shutil
import socket
import tempfile

import cluster


class StartTest(cluster.ClusterTest):
    """Programs that cannot start: exit status and message."""

    def refused(self, *arguments, status=1, env=None, registry=None):
        done = cluster.run("greeter", "--registry_address", registry or self.registry, *arguments, env=env)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        # The reason comes last, under the name of the program; lines of the log may stand before it.
        text = done.stderr[done.stderr.rindex("greeter: "):] if "greeter: " in done.stderr else ""
        self.assertTrue(text, done.stderr)
        return text

    def test_port_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            text = self.refused("--address", address, "--loops", "2")
            self.assertIn(address, text)
            self.assertIn("address already in use: another program listens there; choose another --address or stop it", text)
        self.assertEqual(self.listed(), [])

    def test_too_few_descriptors(self):
        if cluster.SLOW > 1:
            self.skipTest("the undefined-behaviour sanitizer needs descriptors of its own to look at an object")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
        try:
            text = self.refused("--address", "127.0.0.1:0", "--loops", "200")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.assertRegex(text, r"the loops cannot be made: .*Too many open files; .*ulimit -n.*--loops")

    def test_port_taken_by_a_sibling(self):
        # Both share ports between their own loops, which must not let a second process in.
        node = self.node("greeter")
        self.assertIn("address already in use: another program listens there; choose another --address or stop it", self.refused("--address", node.address, "--loops", "2"))
        self.assert_alive(node)

    def test_bad_flag(self):
        text = self.refused("--adress", ":0", status=2)
        self.assertIn("--adress", text)
        self.assertIn("see greeter --help", text)

    def test_bad_flag_values(self):
        for arguments, words in [
            (["--loops", "many"], ["loops", "many"]),
            (["--drain_timeout", "10"], ["drain_timeout", "10"]),
            (["--drain_timeout", "fast"], ["drain_timeout", "fast"]),
            (["--address"], ["address"]),
        ]:
            text = self.refused(*arguments, status=2)
            for word in [*words, "greeter --help"]:
                self.assertIn(word, text, arguments)

    def test_bad_environment(self):
        text = self.refused("--address", "127.0.0.1:0", status=1, env={"MICRO_REGISTRY": "zookeper"})
        self.assertIn("zookeper", text)

    def test_unknown_registry(self):
        text = self.refused("--registry", "etdc")
        self.assertIn('"etdc"', text)
        self.assertIn("local, memory", text)

    def test_registry_directory_is_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            text = self.refused("--address", "127.0.0.1:0", registry=file.name)
            self.assertIn(file.name, text)
            self.assertIn("Not a directory", text)
            self.assertIn("name another directory with --registry_address", text)

    def test_registry_directory_that_cannot_be_made(self):
        # /proc takes no new directories, whoever asks.
        text = self.refused("--address", "127.0.0.1:0", registry="/proc/micro")
        self.assertIn("/proc/micro", text)
        self.assertRegex(text, r"No such file|Permission denied|Operation not permitted")

    def test_registry_directory_without_permission(self):
        os.chmod(self.registry, 0o500)
        program, options = "greeter", {}
        if os.geteuid() == 0:
            # Root may write everywhere: be somebody else, who may not even get at the build directory.
            place = tempfile.mkdtemp()
            self.addCleanup(shutil.rmtree, place)
            os.chmod(place, 0o755)
            program = shutil.copy(os.path.join(cluster.BIN, program), place)
            os.chown(self.registry, 65534, 65534)
            options = {"user": 65534, "group": 65534, "extra_groups": []}
        done = cluster.run(program, "--registry_address", self.registry, "--address", "127.0.0.1:0", **options)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(self.registry, done.stderr)
        self.assertIn("Permission denied", done.stderr)

    def test_malformed_address(self):
        for address, why in [
            ("nowhere", 'cannot parse address "nowhere": the port is missing; write for example "nowhere:8080"'),
            ("127.0.0.1:http", 'the port "http" is not a number from 0 to 65535'),
            ("::1:80", "an IPv6 address goes in brackets"),
            ("", "it is empty"),
        ]:
            text = self.refused("--address", address)
            self.assertIn("--address: ", text)
            self.assertIn(why, text)

    def test_address_of_another_machine(self):
        text = self.refused("--address", "192.0.2.1:8080")
        self.assertIn("192.0.2.1:8080", text)
        self.assertIn("no network interface of this machine has that address; choose another --address", text)

    def test_host_that_does_not_exist(self):
        text = self.refused("--address", "no-such-host.invalid:8080")
        self.assertIn("no-such-host.invalid", text)

    def test_all_faults_at_once(self):
        text = self.refused("--name", "a b", "--address", "nowhere", "--registry", "etdc", "--metadata", "zone", "--log_level", "loud",
                            "--register_ttl", "1s")
        self.assertIn("6 faults:\n", text)
        for word in ["--name", "--address", "etdc", "--metadata zone: expected key=value", "--log_level", "--register_ttl"]:
            self.assertIn(word, text)

    def test_help_and_version(self):
        done = cluster.run("greeter", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for flag in ["--name", "--address", "--registry", "--registry_address", "MICRO_REGISTRY", "Says hello"]:
            self.assertIn(flag, done.stdout)
        done = cluster.run("greeter", "--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^greeter latest \(micro-cpp \d+\.\d+\.\d+\)\n$")


class CallTest(cluster.ClusterTest):
    """Calls that cannot be answered, by HTTP and by gRPC; after each of them the node answers again."""

    def setUp(self):
        super().setUp()
        self.node_ = self.node("trouble")
        self.addCleanup(self.assert_alive, self.node_, "/trouble.Trouble/Echo")

    def assert_alive(self, node, path="/trouble.Trouble/Echo"):
        status, _, body = self.post(node.address, path, '{"text":"x"}')
        self.assertEqual((status, body), (200, '{"text":"x"}'))

    def http(self, path, body, status, *words, headers=None):
        got, _, text = self.post(self.node_.address, path, body, headers)
        self.assertEqual(got, status, text)
        for word in words:
            self.assertIn(word, text)

    def grpc(self, endpoint, body, *words, flags=()):
        done = self.micro("call", "trouble", endpoint, body, *flags)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertTrue(done.stderr.startswith("micro: "), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_unknown_method(self):
        self.http("/trouble.Trouble/Ecko", "{}", 404, "unknown method Ecko of service trouble.Trouble; it has Echo, Wait")
        self.grpc("Trouble.Ecko", "{}", "NOT_FOUND", "Trouble.Echo")

    def test_unknown_service(self):
        self.http("/trouble.Truble/Echo", "{}", 404, "trouble.Truble")
        done = self.micro("call", "truble", "Trouble.Echo", "{}")
        self.assertEqual(done.returncode, 1)
        self.assertIn('no node of service "truble" in local registry in ' + self.registry, done.stderr.replace("the local", "local"))

    def test_malformed_json(self):
        self.http("/trouble.Trouble/Echo", '{"text":', 400, "INVALID_ARGUMENT", "JSON")
        self.grpc("Trouble.Echo", '{"text":', "INVALID_ARGUMENT", "JSON")

    def test_wrong_field_type(self):
        self.http("/trouble.Trouble/Wait", '{"milliseconds":"soon"}', 400, "milliseconds")
        self.grpc("Trouble.Wait", '{"milliseconds":"soon"}', "INVALID_ARGUMENT", "milliseconds")

    def test_unknown_field(self):
        self.http("/trouble.Trouble/Echo", '{"txet":"x"}', 400, "txet")
        self.grpc("Trouble.Echo", '{"txet":"x"}', "INVALID_ARGUMENT", "txet")

    def test_handler_that_throws(self):
        self.http("/trouble.Trouble/Throw", '{"text":"my password"}', 500, "trouble.Trouble/Throw", "the server's log says more")
        self.grpc("Trouble.Throw", '{"text":"my password"}', "INTERNAL", "the server's log says more")
        self.node_.wait_line("handler failed with an exception.*my password", 2)

    def test_handler_that_blocks_its_loop(self):
        done = self.micro("call", "trouble", "Trouble.Block", '{"milliseconds":2500}')
        self.assertEqual((done.returncode, done.stdout), (0, '{"text":"blocked"}\n'), done.stderr)
        self.node_.wait_line("a loop is blocked: its calls and connections wait; give long work to offload.* loop=trouble")
        self.node_.wait_line("a loop was blocked; give long work to offload.* loop=trouble")

    def test_deadline(self):
        self.grpc("Trouble.Wait", '{"milliseconds":60000}', "DEADLINE_EXCEEDED", flags=["--timeout", "200ms"])
        self.node_.wait_line("wait was cancelled")
        self.grpc("Trouble.Ignore", '{"milliseconds":1000}', "DEADLINE_EXCEEDED", flags=["--timeout", "200ms"])

    def test_caller_that_goes_away(self):
        connection = http.client.HTTPConnection(self.node_.address)
        connection.request("POST", "/trouble.Trouble/Wait", '{"milliseconds":60000}', {"content-type": "application/json"})
        self.node_.wait_line("wait begins")
        connection.close()
        self.node_.wait_line("wait was cancelled")

    def test_oversized_request(self):
        large = '{"text":"' + "x" * 5_000_000 + '"}'
        self.http("/trouble.Trouble/Echo", large, 413, "RESOURCE_EXHAUSTED", "4194304")

    def test_oversized_reply(self):
        self.grpc("Trouble.Fill", '{"bytes":5000000}', "RESOURCE_EXHAUSTED", "4194304")

    def test_body_that_is_no_message(self):
        self.http("/trouble.Trouble/Echo", "hello", 415, "text/plain", headers={"content-type": "text/plain"})

    def test_bytes_that_are_no_protocol(self):
        host, port = self.node_.address.split(":")
        for garbage in [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
                        b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"PRI * HT"]:
            with socket.create_connection((host, int(port)), timeout=cluster.PATIENCE) as connection:
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                try:
                    while connection.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
            self.assert_alive(self.node_)


if __name__ == "__main__":
    cluster.main()
