"""What a reader must know about the machine and the build to judge the figures."""

import os
import pathlib
import platform
import re
import subprocess


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()[0] if done.returncode == 0 else "unknown"


def cpu_model():
    match = re.search(r"^model name\s*:\s*(.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return match[1].strip() if match else platform.machine()


def describe(build_dir):
    cache = (pathlib.Path(build_dir) / "CMakeCache.txt").read_text()

    def cached(name):
        match = re.search(rf"^{name}:\w+=(.*)$", cache, re.M)
        return match[1] if match else ""

    return {
        "processor": f"{cpu_model()}, {os.cpu_count()} cores" + (", virtual machine" if "hypervisor" in cpu_flags() else ""),
        "kernel": platform.release(),
        "TCP congestion control": pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
        "compiler": first_line(cached("CMAKE_CXX_COMPILER"), "--version"),
        "flags": cached("CMAKE_CXX_FLAGS_RELEASE"),
        "grpc++": first_line("pkg-config", "--modversion", "grpc++"),
        "protobuf": first_line("pkg-config", "--modversion", "protobuf"),
        "nghttp2": first_line("pkg-config", "--modversion", "libnghttp2"),
        "h2load": first_line("h2load", "--version"),
        "commit": first_line("git", "describe", "--always", "--dirty"),
        "load average at start": f"{os.getloadavg()[0]:.1f}",
    }


def cpu_flags():
    match = re.search(r"^flags\s*:\s*(.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return match[1].split() if match else []


def slug():
    """"AMD EPYC", 2 cores -> amd-epyc-2cpu"""
    words = re.sub(r"\(.*?\)|\bCPU\b|@.*|\bProcessor\b", "", cpu_model())
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") + f"-{os.cpu_count()}cpu"
