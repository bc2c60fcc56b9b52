"""test/changed.py: what makes a test run again, and what does not."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import changed  # noqa: E402


class ChangedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        for name, text in {"micro/base/error.cpp": "code", "test/integration/stop_test.py": "script", "docs/page.md": "words",
                           "micro/http1/testdata/rows.txt": "rows", ".gitignore": "build", "build/dev/bin/error_test": "unit",
                           "build/dev/bin/greeter": "program"}.items():
            self.write(name, text)
        self.addCleanup(setattr, changed, "ROOT", changed.ROOT)
        changed.ROOT = self.root
        self.bin = self.root / "build/dev/bin"

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def keys(self):
        changed.content.__defaults__[0].clear()
        inputs = changed.Inputs(self.root / "build/dev")

        def key(label, *command):
            return inputs.key({"command": list(command), "properties": [{"name": "LABELS", "value": [label]}]})
        return {"unit": key("unit", f"{self.bin}/error_test"), "integration": key("integration", "python3", "stop_test.py"),
                "check": key("check", "python3", "shape.py")}

    def assert_runs_again(self, name, text, *expected):
        before = self.keys()
        self.write(name, text)
        after = self.keys()
        self.assertEqual({test for test in before if before[test] != after[test]}, set(expected), name)

    def test_nothing_changed(self):
        self.assertEqual(self.keys(), self.keys())
        self.assert_runs_again("build/dev/log", "not of the tree")

    def test_a_test_program(self):
        self.assert_runs_again("build/dev/bin/error_test", "built anew", "unit")

    def test_a_program(self):
        self.assert_runs_again("build/dev/bin/greeter", "built anew", "integration", "check")

    def test_code_shows_in_programs(self):
        self.assert_runs_again("micro/base/error.cpp", "a comment more", "check")

    def test_scripts_and_data(self):
        self.assert_runs_again("test/integration/stop_test.py", "another script", "integration", "check")
        self.assert_runs_again("micro/http1/testdata/rows.txt", "a row more", "unit", "integration", "check")
        self.assert_runs_again("docs/page.md", "other words", "integration", "check")

    def test_other_arguments(self):
        inputs = changed.Inputs(self.root / "build/dev")
        one, two = ({"command": ["python3", "load_test.py", case], "properties": []} for case in "ab")
        self.assertNotEqual(inputs.key(one), inputs.key(two))


if __name__ == "__main__":
    unittest.main()
