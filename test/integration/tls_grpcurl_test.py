"""grpcurl, a gRPC client of others, against a node that takes TLS with client certificates only. Skipped (77) where it cannot be had."""

import pathlib
import subprocess
import sys

import cluster
import tls_test

INTEROP = pathlib.Path(__file__).resolve().parent.parent / "interop"
GRPCURL = None


class GrpcurlTest(tls_test.TlsTest):
    def run_grpcurl(self, node, *arguments):
        return subprocess.run([GRPCURL, "-max-time", "20", *arguments, "-d", tls_test.JOHN, node.address, "greeter.Greeter/Hello"],
                              capture_output=True, text=True)

    def test_mutual_tls(self):
        node = self.secure_node("--tls_client_auth", "require", "--tls_only")
        certificate, key = self.authority.issue("client")
        done = self.run_grpcurl(node, "-cacert", self.authority.pem, "-cert", certificate, "-key", key)
        self.assertEqual((done.returncode, "".join(done.stdout.split())), (0, '{"message":"HelloJohn"}'), done.stderr)

    def test_who_is_refused(self):
        node = self.secure_node("--tls_client_auth", "require", "--tls_only")
        self.assertNotEqual(self.run_grpcurl(node, "-cacert", self.authority.pem).returncode, 0)
        node.wait_line("the client has shown no certificate")
        self.assertNotEqual(self.run_grpcurl(node, "-plaintext").returncode, 0)
        self.assert_alive_by_tls(node)

    def assert_alive_by_tls(self, node):
        certificate, key = self.authority.issue("client")
        self.assertEqual(self.curl(node, "--cert", certificate, "--key", key)[:2], (0, tls_test.REPLY))


if __name__ == "__main__":
    sys.path.insert(0, str(INTEROP))
    import peers
    work = pathlib.Path(sys.argv[sys.argv.index("--bin") + 1]).parent / "test" / "interop"
    try:
        GRPCURL = peers.Toolbox(INTEROP, work, None, None).grpcurl()
    except peers.Skipped as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    cluster.main()
