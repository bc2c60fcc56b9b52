"""The other implementations: how their tools are found, how they are built and which commands start their client and server."""

import contextlib
import dataclasses
import fcntl
import os
import re
import shutil

from processes import Failure, run, tail

# Built at test time, the same version everywhere. go/go.mod and node/package.json pin the libraries.
GO_TOOLS = {
    "protoc-gen-go": "google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.11",
    "protoc-gen-go-grpc": "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.1",
    "grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3",
}
# Older ones cannot fetch the tool chain that go/go.mod asks for.
OLDEST_GO = (1, 21)
OLDEST_NODE = 16

# What a tool says when the network, not our code, is at fault.
NETWORK = re.compile(r"dial tcp|no such host|i/o timeout|connection re(fused|set)|TLS handshake|unexpected EOF|: EOF|proxyconnect"
                     r"|50[234] |ENOTFOUND|EAI_AGAIN|ECONNRE|ETIMEDOUT|ENETUNREACH|E50[234]"
                     r"|network (timeout|is unreachable)|404 Not Found",
                     re.IGNORECASE)


class Skipped(Exception):
    """A peer cannot be had here; the message says why."""


@dataclasses.dataclass
class Peer:
    title: str         # "grpc-go 1.80.0"
    client: list       # the command; address and checks follow
    server: list       # the command, port 0 on loopback included; empty: there is none
    extra: tuple = ()  # checks only its client has


@contextlib.contextmanager
def locked(directory):
    """Tests of several peers run side by side; what they share is built by one of them."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def step(what, command, cwd, env=None, tries=1):
    """Runs a build step. One that fetches something is tried twice."""
    for attempt in range(tries):
        status, out, err = run(command, timeout=400, cwd=cwd, env=env)
        if status == 0:
            return out
    if tries > 1 and (status is None or NETWORK.search(out + err)):
        lines = [line for line in (err + out).splitlines() if NETWORK.search(line)] or ["it took too long"]
        raise Skipped(f"{what} cannot be fetched: {lines[0]}")
    raise Failure(f"{what}: {tail(err or out)}")


def mirror(source, target, suffixes):
    """Copies changed files: nothing is built or installed in the source tree."""
    for path in sorted(source.rglob("*")):
        if not path.is_file() or "node_modules" in path.parts or not path.name.endswith(suffixes):
            continue
        copy = target / path.relative_to(source)
        if copy.exists() and copy.read_bytes() == path.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


class Toolbox:
    def __init__(self, source, work, bin_dir, proto):
        self.source, self.work, self.bin, self.proto = source, work, bin_dir, proto

    # One method a peer; each returns a Peer, raises Skipped when it cannot be had here and Failure when it does not build.

    def micro(self):
        return Peer("our client", [self.bin / "interop_micro_client"], [], extra=("drop",))

    def grpcpp(self):
        version = run(["pkg-config", "--modversion", "grpc++"], 10)[1].strip()
        return Peer(f"grpc++ {version}", [self.bin / "interop_grpcpp_client"],
                    [self.bin / "interop_grpcpp_server", "127.0.0.1:0"])

    def go(self):
        go = self.find_go()
        root = self.work / "go"
        source = root / "src"
        with locked(root):
            plugins = [self._go_tool(go, name) for name in ("protoc-gen-go", "protoc-gen-go-grpc")]
            mirror(self.source / "go", source, (".go", ".mod", ".sum"))
            package = source / "greeterpb"
            package.mkdir(exist_ok=True)
            command = ["protoc", f"-I{self.proto.parent}"]
            for plugin, kind in zip(plugins, ("go", "go-grpc")):
                command += [f"--plugin={plugin}", f"--{kind}_out={package}",
                            f"--{kind}_opt=paths=source_relative,M{self.proto.name}=micro.test/interop/greeterpb"]
            step("protoc", [*command, self.proto.name], source)
            step("the modules of grpc-go", [go, "mod", "download"], source, tries=2)
            step("the grpc-go programs", [go, "build", "-o", f"{root}/bin/", "./client", "./server"], source)
        version = re.search(r"google.golang.org/grpc v(\S+)", (source / "go.mod").read_text())[1]
        return Peer(f"grpc-go {version}", [root / "bin/client"], [root / "bin/server", "127.0.0.1:0"], extra=("health",))

    def node(self):
        node, npm = shutil.which("node"), shutil.which("npm")
        if not node or not npm:
            raise Skipped("no node" if not node else "no npm")
        version = run([node, "--version"], 10)[1].strip()
        if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
            raise Skipped(f"node {version} is too old, {OLDEST_NODE} is needed")
        root = self.work / "node"
        with locked(root):
            mirror(self.source / "node", root, (".js", ".json", ".npmrc"))
            lock, stamp = root / "package-lock.json", root / "installed"
            if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
                step("@grpc/grpc-js", [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], root, tries=2)
                shutil.copyfile(lock, stamp)
        version = re.search(r'"@grpc/grpc-js": "(\S+)"', (root / "package.json").read_text())[1]
        return Peer(f"grpc-js {version}", [node, root / "client.js", self.proto],
                    [node, root / "server.js", self.proto, "127.0.0.1:0"])

    def grpcurl(self):
        go = self.find_go()
        with locked(self.work / "go"):
            return self._go_tool(go, "grpcurl")

    def find_go(self):
        go = shutil.which("go")
        if not go:
            raise Skipped("no go")
        found = re.match(r"go(\d+)\.(\d+)", run([go, "env", "GOVERSION"], 30)[1])
        if not found or tuple(map(int, found.groups())) < OLDEST_GO:
            raise Skipped(f"go {'.'.join(found.groups()) if found else ''} is too old, {'.'.join(map(str, OLDEST_GO))} is needed")
        return go

    def _go_tool(self, go, name):
        module = GO_TOOLS[name]
        directory = self.work / "go/tools" / module.rpartition("@")[2]
        if not (directory / name).exists():
            step(name, [go, "install", module], self.work, env={**os.environ, "GOBIN": str(directory)}, tries=2)
        return directory / name
