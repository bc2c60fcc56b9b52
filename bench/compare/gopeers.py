"""The peers written in Go: generated and built at the time of measuring, because Go modules are no Debian packages."""

import os
import pathlib
import shutil
import subprocess

TOOLS = ["google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.11", "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.1"]
PROTO = pathlib.Path("examples/greeter/proto")
SOURCE = pathlib.Path("bench/peers/go")
PACKAGE = "Mgreeter.proto=micro.test/bench/greeterpb"


def run(command, cwd, **environment):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[0])


def build(build_dir):
    """The directory of the programs, or None and why not."""
    go = shutil.which("go")
    if not go:
        return None, "skipped: no go"
    root = pathlib.Path(build_dir).absolute() / "go"
    source, tools = root / "src", root / "tools"
    try:
        shutil.copytree(SOURCE, source, dirs_exist_ok=True)
        (source / "greeterpb").mkdir(exist_ok=True)
        for tool in TOOLS:
            name = tool.rpartition("/")[2].partition("@")[0]
            if not (tools / name).exists():
                run([go, "install", tool], root, GOBIN=str(tools))
        run(["protoc", f"-I{PROTO}", *(f"--plugin={tools}/protoc-gen-{kind}" for kind in ("go", "go-grpc")),
             *(f"--{kind}_out={source}/greeterpb" for kind in ("go", "go-grpc")),
             *(f"--{kind}_opt=paths=source_relative,{PACKAGE}" for kind in ("go", "go-grpc")), "greeter.proto"], None)
        run([go, "build", "-o", f"{root}/bin/", "./..."], source)
    except RuntimeError as error:
        return None, f"skipped: {error}"
    return root / "bin", ""


def versions():
    lines = (SOURCE / "go.mod").read_text().split("\n")
    wanted = ("google.golang.org/grpc ", "go-micro.dev/v5 ")
    return [line.strip().removesuffix("// indirect").strip() for line in lines if line.strip().startswith(wanted)]
