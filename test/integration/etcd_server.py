"""A real etcd of one member, on loopback, with its data in a directory of its own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

import cluster


def missing():
    """What of etcd is not installed; None: nothing."""
    gone = [name for name in ("etcd", "etcdctl") if not shutil.which(name)]
    return f"skipped: no {' and '.join(gone)}: apt-get install etcd-server etcd-client" if gone else None


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Etcd:
    def __init__(self, test):
        self._directory = tempfile.mkdtemp(prefix="micro-etcd-")
        self.address = f"127.0.0.1:{_free_port()}"
        self._peer = f"http://127.0.0.1:{_free_port()}"
        test.addCleanup(shutil.rmtree, self._directory, ignore_errors=True)
        test.addCleanup(self.kill)
        self.start()

    def start(self):
        client = f"http://{self.address}"
        self._log = open(os.path.join(self._directory, "log"), "a+")
        self._process = subprocess.Popen(
            ["etcd", "--name", "test", "--data-dir", f"{self._directory}/data", "--log-level", "warn",
             "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", self._peer, "--initial-advertise-peer-urls", self._peer, "--initial-cluster", f"test={self._peer}"],
            stdout=self._log, stderr=subprocess.STDOUT)
        self.ctl("endpoint", "health", "--command-timeout", f"{cluster.PATIENCE}s")

    def ctl(self, *arguments):
        """What etcdctl prints."""
        done = subprocess.run(["etcdctl", "--endpoints", self.address, "--dial-timeout", f"{cluster.PATIENCE}s", *arguments],
                              capture_output=True, text=True, timeout=2 * cluster.PATIENCE, env={**os.environ, "ETCDCTL_API": "3"})
        if done.returncode != 0:
            self._log.seek(0)
            raise AssertionError(f"etcdctl {arguments}: {done.stdout}{done.stderr}\netcd says:\n{self._log.read()}")
        return done.stdout

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._log.close()

    def wipe(self):
        """After kill(): it forgets everything."""
        shutil.rmtree(f"{self._directory}/data")

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)
