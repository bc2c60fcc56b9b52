"""The servers that are compared: how each is started, what its processor time is, how it is ended."""

import contextlib
import os
import pathlib
import socket
import subprocess
import time

NAME = "John Smith"
REPLY = f"Hello {NAME}"

# name -> command line; {bin}, {go}, {address} and {work} are filled in. The key of our own server must stay "micro".
COMMANDS = {
    "floor": ["{bin}/floor_server", "{address}", REPLY],
    "micro": ["{bin}/greeter", "--address", "{address}", "--registry", "memory", "--loops", "1", "--log_level", "warn"],
    "micro 2 loops": ["{bin}/greeter", "--address", "{address}", "--registry", "memory", "--loops", "2", "--log_level", "warn"],
    "grpc++ callback": ["{bin}/grpcpp_server", "callback", "{address}"],
    "grpc++ cq": ["{bin}/grpcpp_server", "cq", "{address}"],
    "grpc-go": ["{go}/grpcserver", "{address}"],
    "go-micro": ["{go}/gomicroserver", "{address}"],
    "net/http": ["{go}/nethttp", "{address}"],
    "nginx": ["nginx", "-e", "stderr", "-p", "{work}", "-c", "nginx.conf"],
}

# These have the core of the load as well.
ON_BOTH_CORES = {"micro 2 loops"}

# One process, no log, a fixed answer: the least an HTTP server does.
NGINX = """daemon off; master_process off; pid nginx.pid; error_log stderr; worker_rlimit_nofile 20000;
events {{ worker_connections 10000; }}
http {{ access_log off; keepalive_requests 1000000000; default_type application/json; client_body_temp_path .; proxy_temp_path .;
  fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .;
  server {{ listen {address}; location / {{ return 200 '{{"message":"{reply}"}}'; }} }} }}
"""


class Failure(Exception):
    """Something under measurement did not do its job; the message says what and where to look."""


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Places:
    """Where programs and scratch files are."""

    def __init__(self, build, go):
        self.bin, self.go, self.work = f"{build}/bin", go, pathlib.Path(build).absolute() / "bench-work"
        self.work.mkdir(parents=True, exist_ok=True)

    def fill(self, part, address):
        return part.format(bin=self.bin, go=self.go, address=address, work=self.work)


class Server:
    """One server process, pinned to a core. Use as a context manager: it is ended by its own process id."""

    def __init__(self, name, places, core, nice):
        self.name = name
        self.address = free_address()
        self.command = pinned([places.fill(part, self.address) for part in COMMANDS[name]], core)
        self.nice = nice
        self.log = places.work / f"{name.replace(' ', '-').replace('/', '-')}.log"
        if name == "nginx":
            (places.work / "nginx.conf").write_text(NGINX.format(address=self.address, reply=REPLY))

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env={**os.environ, "GOMAXPROCS": "1"}, preexec_fn=lambda: prioritise(self.nice))
        try:
            self._wait_until_listening()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait_until_listening(self):
        host, port = self.address.split(":")
        for _ in range(200):
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended with status {self.process.returncode} while starting.\n{self.log_tail()}")
            try:
                socket.create_connection((host, int(port)), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Failure(f"{self.name} does not listen on {self.address} after 10 s.\n{self.log_tail()}")

    def state(self):
        ended = self.process.poll()
        return (f"{self.name} still runs. " if ended is None else f"{self.name} has ended with status {ended}. ") + self.log_tail()

    def log_tail(self):
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"Last lines of {self.log}:", *lines])

    def cpu_seconds(self):
        """Processor time of the whole process so far, threads that have ended included, in nanosecond steps."""
        return time.clock_gettime(~self.process.pid << 3 | 2)  # CPUCLOCK_SCHED, see clock_getcpuclockid(3)

    def user_seconds(self):
        """The part of it spent in user mode."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) / os.sysconf("SC_CLK_TCK")

    def wait_seconds(self):
        """How long its threads were ready to run but another process had the core: a sign of a busy machine."""
        waited = 0
        for schedstat in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):  # a thread that has just ended
                waited += int(schedstat.read_text().split()[1])
        return waited / 1e9

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])


def pinned(command, core):
    return ["taskset", "-c", str(core), *command]


def prioritise(nice):
    """Run in a child before its program: niceness counts within a session only where the kernel groups tasks by session."""
    if nice == 0:
        return
    os.setsid()
    os.nice(nice)
    with contextlib.suppress(OSError):  # a kernel without autogroups
        pathlib.Path("/proc/self/autogroup").write_text(str(nice))
