"""TLS: what other programs see of it, whom it refuses and why, and that nobody notices new certificates or a node that leaves."""

import os
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import cluster
from certificates import Authority, openssl

HELLO = "/greeter.Greeter/Hello"
JOHN = '{"name":"John"}'
REPLY = '{"message":"Hello John"}'


class TlsTest(cluster.ClusterTest):
    def setUp(self):
        super().setUp()
        self.files = tempfile.mkdtemp(prefix="micro-tls-")
        self.addCleanup(shutil.rmtree, self.files, ignore_errors=True)
        self.authority = Authority(os.path.join(self.files, "a"))
        self.certificate = self.authority.issue("greeter")

    def tls(self, pair=None, *more):
        certificate, key = pair or self.certificate
        return ["--tls_cert", certificate, "--tls_key", key, *more]

    def secure_node(self, *more):
        return self.node("greeter", *self.tls(None, "--tls_ca", self.authority.pem, *more))

    def curl(self, node, *arguments, scheme="https", host="127.0.0.1"):
        """(exit status, standard output, standard error)"""
        port = node.address.rpartition(":")[2]
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "20", "--cacert", self.authority.pem, "--resolve", f"{host}:{port}:127.0.0.1", *arguments,
             "-H", "content-type: application/json", "-d", JOHN, f"{scheme}://{host}:{port}{HELLO}"],
            capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def s_client(self, node, *arguments):
        return openssl("s_client", "-connect", node.address, "-CAfile", self.authority.pem, *arguments, text="")[1]

    def call(self, *arguments):
        return self.micro("call", "greeter", "Greeter.Hello", JOHN, *arguments)

    def assert_called(self, *arguments):
        done = self.call(*arguments)
        self.assertEqual((done.returncode, done.stdout), (0, REPLY + "\n"), done.stderr)

    def assert_call_fails(self, pattern, *arguments):
        done = self.call(*arguments)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stderr, pattern)


class OthersTest(TlsTest):
    def test_curl_by_both_versions_of_http(self):
        node = self.secure_node()
        for version, number in [("--http1.1", "1.1"), ("--http2", "2")]:
            status, out, err = self.curl(node, version, "-w", " %{http_version}")
            self.assertEqual((status, out), (0, f"{REPLY} {number}"), err)

    def test_protocol_versions(self):
        node = self.secure_node()
        for version, name in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")]:
            text = self.s_client(node, version)
            self.assertIn(f"New, {name}", text)
            self.assertIn("Verify return code: 0 (ok)", text)
        # At level 0 OpenSSL itself would still speak TLS 1.1.
        text = self.s_client(node, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
        self.assertRegex(text, "alert protocol version|unsupported protocol")
        self.assertIn("New, (NONE)", text)
        node.wait_line("refused a TLS connection .*speaks an old version of TLS; here it must be 1.2 or 1.3")

    def test_old_suites_are_refused(self):
        node = self.secure_node()
        text = self.s_client(node, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0")
        self.assertIn("handshake failure", text)

    def test_application_protocols(self):
        node = self.secure_node()
        for offered, agreed in [("h2", "h2"), ("http/1.1", "http/1.1"), ("http/1.1,h2", "h2"), ("foo,http/1.1", "http/1.1")]:
            self.assertIn(f"ALPN protocol: {agreed}\n", self.s_client(node, "-alpn", offered))
        self.assertIn("No ALPN negotiated", self.s_client(node))
        self.assertRegex(self.s_client(node, "-alpn", "smtp"), "alert no application protocol")

    def test_no_renegotiation(self):
        node = self.secure_node()
        text = openssl("s_client", "-connect", node.address, "-tls1_2", text="R\n")[1]
        self.assertRegex(text, "RENEGOTIATING[\\s\\S]*no renegotiation")

    def test_certificates_by_server_name(self):
        shop = self.authority.issue("shop", "DNS:shop.test")
        wild = self.authority.issue("wild", "DNS:*.wild.test")
        pairs = [self.certificate, shop, wild]
        node = self.node("greeter", *self.tls([",".join(pair[i] for pair in pairs) for i in range(2)]))
        for name, subject in [("shop.test", "shop"), ("a.wild.test", "wild"), ("localhost", "greeter"), ("other.test", "greeter")]:
            self.assertIn(f"subject=CN = {subject}\n", self.s_client(node, "-servername", name))
        self.assertIn("subject=CN = greeter\n", self.s_client(node, "-noservername"))
        self.assertEqual(self.curl(node, host="shop.test")[:2], (0, REPLY))
        self.assertEqual(self.curl(node, host="b.wild.test")[:2], (0, REPLY))
        self.assertEqual(self.curl(node, host="other.test")[0], 60, "the name is not in the default certificate")

    def test_plain_and_secure_share_the_port(self):
        node = self.secure_node()
        self.assertEqual(self.curl(node)[:2], (0, REPLY))
        self.assertEqual(self.curl(node, scheme="http")[:2], (0, REPLY))
        self.assertEqual(self.curl(node, "--http2-prior-knowledge", scheme="http")[:2], (0, REPLY))

    def test_tls_only(self):
        node = self.secure_node("--tls_only")
        self.assertEqual(self.curl(node)[:2], (0, REPLY))
        status, out, _ = self.curl(node, "-w", " %{http_code}", scheme="http")
        self.assertEqual(status, 0)
        self.assertRegex(out, r'"reason":"TLS_REQUIRED","message":"this port takes TLS connections only.* 400$')
        self.assertNotEqual(self.curl(node, "--http2-prior-knowledge", scheme="http")[0], 0)
        self.assert_called("--tls_ca", self.authority.pem)


class ClientTest(TlsTest):
    def test_a_node_says_that_it_speaks_tls(self):
        node = self.secure_node()
        self.assertRegex(self.micro("describe", "greeter").stdout, rf"(?m)^  {node.address}  greeter-\S+ .* tls=true  transport=http$")
        self.assert_called("--tls_ca", self.authority.pem)
        self.assert_call_fails("TLS_CERTIFICATE.*is signed by CN=Test Authority, which is not trusted here.*tls_ca")
        self.assert_called("--tls_skip_verify")

    def test_wrong_authority(self):
        self.secure_node()
        other = Authority(os.path.join(self.files, "b"), "Other Authority")
        self.assert_call_fails(r"UNAVAILABLE \[TLS_CERTIFICATE\].*connect to 127\.0\.0\.1:\d+.*the server's certificate \(CN=greeter\) is "
                               "signed by CN=Test Authority, which is not trusted", "--tls_ca", other.pem)

    def test_wrong_name(self):
        pair = self.authority.issue("elsewhere", "DNS:elsewhere.test")
        self.node("greeter", *self.tls(pair))
        self.assert_call_fails(r"is for elsewhere\.test and not for 127\.0\.0\.1.*tls_server_name", "--tls_ca", self.authority.pem)
        self.assert_called("--tls_ca", self.authority.pem, "--tls_server_name", "elsewhere.test")

    def test_an_expired_server_certificate(self):
        # Ours would not start with it, but others do, and any server may run for longer than its certificate is good.
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(*self.authority.issue("old", days=-1))
        server.set_alpn_protocols(["h2"])
        listener = socket.create_server(("127.0.0.1", 0))
        refusals = []

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.settimeout(cluster.PATIENCE)
                try:
                    server.wrap_socket(connection, server_side=True).read()
                    refusals.append("none")
                except OSError as error:
                    refusals.append(str(error))
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        self.secure_node("--advertise", f"127.0.0.1:{port}")
        self.assert_call_fails(rf"UNAVAILABLE \[TLS_CERTIFICATE\].*connect to 127\.0\.0\.1:{port}.*the server's certificate \(CN=old\) "
                               "expired on 20.*renew it, or is the clock of this machine wrong", "--tls_ca", self.authority.pem)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(cluster.PATIENCE)
        listener.close()
        self.assertTrue(refusals)
        for refusal in refusals:
            self.assertIn("certificate expired", refusal)

    def test_client_certificates(self):
        node = self.secure_node("--tls_client_auth", "require")
        self.assert_call_fails("TLS_CERTIFICATE.*takes only clients with a certificate.*tls_cert", "--tls_ca", self.authority.pem)
        node.wait_line("refused a TLS connection .*the client has shown no certificate")
        certificate, key = self.authority.issue("client")
        self.assert_called("--tls_ca", self.authority.pem, "--tls_cert", certificate, "--tls_key", key)
        stranger = Authority(os.path.join(self.files, "b"), "Other Authority").issue("stranger")
        self.assert_call_fails("does not trust the authority that signed our certificate", "--tls_ca", self.authority.pem, *self.tls(stranger))
        # A plain connection has no certificate either.
        self.assertIn("TLS_REQUIRED", self.curl(node, scheme="http")[1])

    def test_an_expired_client_certificate(self):
        node = self.secure_node("--tls_client_auth", "require")
        certificate, key = self.authority.issue("old", days=-1)
        status, _, err = self.curl(node, "--cert", certificate, "--key", key)
        self.assertNotEqual(status, 0)
        self.assertIn("expired", err)
        node.wait_line(r"refused a TLS connection .*the client's certificate \(CN=old\) expired on 20.*renew it")

    def test_calls_only(self):
        node = self.node()
        self.assert_called()
        self.assert_call_fails("TLS_HANDSHAKE.*does it speak TLS here|reset", "--tls_calls_only")
        self.assert_alive(node)

    def test_the_gateway_calls_by_tls(self):
        node = self.secure_node("--tls_only", "--tls_client_auth", "require")
        gate = self.gateway(*self.tls(self.authority.issue("gateway"), "--tls_ca", self.authority.pem))
        for scheme in ["http", "https"]:
            port = gate.address.rpartition(":")[2]
            done = subprocess.run(["curl", "-sS", "--cacert", self.authority.pem, "-i", "-d", JOHN,
                                   f"{scheme}://127.0.0.1:{port}/api/greeter/Greeter.Hello"], capture_output=True, text=True)
            self.assertIn(REPLY, done.stdout, done.stderr)
            self.assertIn(f"x-micro-node: {node.address}", done.stdout.lower())


class FilesTest(TlsTest):
    def start_fails(self, *arguments):
        done = cluster.run("greeter", "--address", "127.0.0.1:0", "--registry_address", self.registry, *arguments)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertNotIn("PRIVATE KEY-----\n", done.stderr)
        return done.stderr

    def test_faults_are_told_at_the_start(self):
        certificate, key = self.certificate
        other = self.authority.issue("other")
        old = self.authority.issue("old", days=-1)
        for arguments, pattern in [
                (self.tls((certificate, other[1])), "the key .*other.key does not belong to the certificate .*greeter.pem"),
                (self.tls(old), r"the certificate .*old.pem \(CN=old\) expired on 20.*renew it"),
                (self.tls((certificate, "/nowhere.key")), "cannot read the key /nowhere.key: No such file"),
                (self.tls((key, key)), "no certificate in .*greeter.key"),
                (["--tls_cert", certificate], "--tls_cert names 1 files and --tls_key 0"),
                (["--tls_only"], "--tls_only: without a certificate nobody could connect"),
                (["--tls_client_auth", "require"], "needs TLS; set --tls_cert and --tls_key"),
                (self.tls(None, "--tls_client_auth", "sometimes"), "expected none, request or require"),
                (self.tls(None, "--tls_client_auth", "require"), "no authorities are given .*tls_ca"),
                (["--tls_ca", "/nowhere.pem"], "trusted authorities: cannot read .*/nowhere.pem")]:
            self.assertRegex(self.start_fails(*arguments), pattern)
        done = self.start_fails(*self.tls((certificate, other[1])), "--name", "no name")
        self.assertRegex(done, "2 faults:[\\s\\S]*no name[\\s\\S]*does not belong")

    def test_an_unreadable_key(self):
        os.chmod(self.certificate[1], 0)
        if os.access(self.certificate[1], os.R_OK):
            self.skipTest("this user may read everything")
        self.assertIn("Permission denied", self.start_fails(*self.tls()))

    def fingerprint(self, node):
        return re.search("Fingerprint=(.*)", openssl("x509", "-noout", "-fingerprint", text=self.s_client(node))[1])[1]

    def test_new_certificates_are_used_and_old_connections_go_on(self):
        node = self.secure_node()
        before = self.fingerprint(node)
        load = self.load("--requests", "1", "--rate", "200", "--tls_ca", self.authority.pem)
        load.wait_for_thousands(1)
        self.authority.issue("greeter")
        node.wait_line("new TLS files are in use for=server .*greeter.pem")
        self.assertNotEqual(self.fingerprint(node), before)
        # A broken file keeps what was read before.
        after = self.fingerprint(node)
        with open(self.certificate[0] + ".new", "w") as file:
            file.write("-----BEGIN CERTIFICATE-----\nhalf of")
        os.replace(self.certificate[0] + ".new", self.certificate[0])
        node.wait_line("changed TLS files cannot be used; those read before stay in use for=server .*greeter.pem")
        self.assertEqual(self.fingerprint(node), after)
        self.authority.issue("greeter")
        node.wait_line("new TLS files are in use for=server", 2)
        self.assertNotEqual(self.fingerprint(node), after)
        sums = load.finish()
        self.assertEqual((sums["failed"], sums["retries"]), (0, 0), sums)
        self.assertNotIn("PRIVATE", node.text())


class LoadTest(TlsTest):
    def test_sigterm_loses_nothing(self):
        nodes = [self.secure_node("--tls_only") for _ in range(2)]
        for each in nodes:
            nodes[0].wait_line(rf"\[greeter\] node \[{each.address}\] join")
        load = self.load("--requests", str(10_000 // cluster.SLOW), "--concurrency", "32", "--rate", str(2000 // cluster.SLOW),
                         "--tls_ca", self.authority.pem)
        load.wait_for_thousands(2)
        self.terminate(nodes[0])
        load.wait_for_more()
        sums = load.finish()
        self.assertEqual(sums["failed"], 0, sums)
        self.assertGreaterEqual(sums["calls"], 10_000 // cluster.SLOW)
        self.assertGreater(sums["nodes"][nodes[0].address], 0)
        self.assertGreater(sums["nodes"][nodes[1].address], 0)

    def test_a_thousand_idle_connections(self):
        limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, min(most, 8192)), most))
        context = ssl.create_default_context(cafile=self.authority.pem)
        contexts = {"plain": None, "TLS": context}
        cost = {}
        request = f"POST {HELLO} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(JOHN)}\r\n\r\n{JOHN}".encode()
        for kind, secure in contexts.items():
            node = self.secure_node()
            held = []

            def connect(count):
                for _ in range(count):
                    raw = socket.create_connection(node.address.rsplit(":", 1))
                    held.append(secure.wrap_socket(raw, server_hostname="localhost") if secure else raw)
                    # One call each: a connection that never says anything is closed sooner than one that is idle.
                    held[-1].sendall(request)
                    answer = b""
                    while not answer.endswith(REPLY.encode()):
                        answer += held[-1].recv(4096)

            def memory():
                with open(f"/proc/{node.process.pid}/status") as file:
                    return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1])
            connect(100)
            before = memory()
            connect(1000)
            cost[kind] = (memory() - before) / 1000
            for each in held:
                each.close()
            self.terminate(node)
        print(f"memory of an idle connection: {cost['plain']:.1f} KiB plain, {cost['TLS']:.1f} KiB with TLS", file=sys.stderr)
        if cluster.SLOW == 1:
            self.assertLess(cost["TLS"] - cost["plain"], 40)


if __name__ == "__main__":
    cluster.main()
