"""scripts/deps.sh on machines of every kind: its PATH holds nothing but what it needs and programs that only pretend."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import tree

SCRIPT = tree.ROOT / "scripts" / "deps.sh"
NEEDED = ("bash", "cat", "comm", "env", "sed", "sort")

# What is installed stands in the file "installed"; what was called is added to "calls".
FAKES = {
    "id": "echo {uid}",
    "dpkg-query": """
while read -r package; do
  for wanted in "$@"; do [ "$wanted" = "$package" ] && echo "installed $package"; done
done <"{here}/installed"
echo "dpkg-query: no packages found matching something" >&2
exit 1""",
    "apt-cache": "exit {unknown}",
    "apt-get": """
echo "apt-get $*" >>"{here}/calls"
case "$1" in
  update) exit {update} ;;
  install)
    for package in "$@"; do case "$package" in -* | install | DPkg*) ;; *) {keep} echo "$package" >>"{here}/installed" ;; esac; done
    exit {install} ;;
esac""",
    "sudo": """
[ "$1" = -n ] && shift
echo "sudo $1" >>"{here}/calls"
[ {sudo} = 0 ] || exit 1
exec "$@\"""",
    "true": "exit 0",
}


class DepsTest(unittest.TestCase):
    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(prefix="micro-deps-"))
        self.addCleanup(shutil.rmtree, self.here)
        (self.here / "calls").touch()
        for program in NEEDED:
            (self.here / program).symlink_to(shutil.which(program))

    def machine(self, installed, without=(), **behaviour):
        """Programs that behave so: uid, and the exit status of sudo, update, install; unknown=1: no package is known before an update."""
        behaviour = {"here": self.here, "uid": 1000, "sudo": 0, "update": 0, "install": 0, "unknown": 0, "keep": ""} | behaviour
        (self.here / "installed").write_text("".join(f"{package}\n" for package in installed))
        for name, body in FAKES.items():
            if name in without:
                continue
            file = self.here / name
            file.write_text("#!/bin/sh\n" + body.format(**behaviour) + "\n")
            file.chmod(0o755)

    def run_script(self, *arguments, **environment):
        return subprocess.run([SCRIPT, *arguments], env={"PATH": str(self.here), **environment}, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)

    def calls(self):
        return (self.here / "calls").read_text().splitlines()

    def packages(self, *groups):
        return self.run_script("--list", *groups).stdout.split()

    def assert_gave_up(self, done, *words):
        self.assertEqual(done.returncode, 3, done.stderr)
        for word in ("deps.sh: ", *words):
            self.assertIn(word, done.stderr)

    def test_lists_without_looking(self):
        self.machine([], without=("dpkg-query", "apt-get"))
        self.assertIn("clang-19", self.packages())
        self.assertEqual(self.packages(), self.packages("build"))
        both = self.packages("build", "demo")
        self.assertEqual(both, sorted(set(self.packages("build") + self.packages("demo"))))

    def test_nothing_missing(self):
        self.machine(self.packages("build", "test"), uid=0)
        done = self.run_script("build", "test")
        self.assertEqual((done.returncode, done.stdout, done.stderr, self.calls()), (0, "", "", []))

    def test_nobody_who_may_install(self):
        for without, behaviour in [(["sudo"], {}), ([], {"sudo": 1})]:
            self.machine(set(self.packages("demo")) - {"curl"}, without=without, **behaviour)
            done = self.run_script("demo")
            self.assert_gave_up(done, "may not install", "missing: curl\n",
                                "install: sudo apt-get update && sudo apt-get install --no-install-recommends curl\n")
            self.assertFalse([call for call in self.calls() if call.startswith("apt-get")])

    def test_root_installs_what_is_missing_and_no_more(self):
        self.machine(set(self.packages("build")) - {"ccache", "lld-19"}, uid=0)
        done = self.run_script()
        self.assertEqual((done.returncode, done.stdout), (0, "deps.sh: installing ccache lld-19\n"), done.stderr)
        (call,) = self.calls()
        self.assertTrue(call.startswith("apt-get install -y ") and call.endswith(" ccache lld-19"), call)
        self.assertIn("--no-remove", call)

    def test_sudo_installs(self):
        self.machine([])
        self.assertEqual(self.run_script("demo").returncode, 0)
        self.assertIn("sudo env", self.calls())

    def test_lists_are_refreshed_when_needed(self):
        self.machine([], uid=0, unknown=1)
        self.assertEqual(self.run_script("demo").returncode, 0)
        self.assertEqual([call.split()[1] for call in self.calls()], ["update", "install"])

    def test_failures_name_the_packages(self):
        for behaviour, word in [({"unknown": 1, "update": 100}, "'apt-get update' failed"), ({"install": 100}, "'apt-get install' failed"),
                                ({"keep": "false &&"}, "still missing")]:
            self.machine([], uid=0, **behaviour)
            self.assert_gave_up(self.run_script("demo"), word, "missing: curl nghttp2-client\n", "install: sudo apt-get update")

    def test_another_distribution(self):
        self.machine([], without=("dpkg-query",))
        self.assert_gave_up(self.run_script("demo"), "this is no Debian system", "MICRO_DEPS=skip", "missing: curl nghttp2-client\n")
        self.assertEqual(self.calls(), [])

    def test_skip(self):
        self.machine([])
        done = self.run_script("build", "test", MICRO_DEPS="skip")
        self.assertEqual((done.returncode, done.stdout, done.stderr, self.calls()), (0, "", "", []))

    def test_wrong_use(self):
        self.machine([], uid=0)
        for arguments in (["biuld"], ["build", "--lsit"]):
            done = self.run_script(*arguments)
            self.assertEqual((done.returncode, done.stdout, self.calls()), (2, "", []))
            self.assertIn(f"no package group '{arguments[-1]}' (groups: build demo test bench dev zookeeper)", done.stderr)
        done = self.run_script("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("scripts/deps.sh [--list]", done.stdout)


if __name__ == "__main__":
    unittest.main()
