"""What coroutines.py must find, and what it must leave alone."""

import sys
import unittest

import coroutines

FAULTS = {
    "aggregate argument": "auto r = co_await f(Options{.name = n});",
    "braced list argument": "co_await f({.name = n});",
    "second argument": "co_await f(context, {a, b});",
    "empty braces": "co_await f(Options{});",
    "template": "co_await f(Pair<int, int>{1, 2});",
    "beside the await": "g(Options{.a = 1}, co_await f());",
    "after the await": "(co_await f()).use(Options{.a = 1});",
    "returned": "co_return co_await f(Options{1});",
    "condition": "if (co_await f(Options{1})) {\n  g();\n}",
    "condition with initialiser": "if (auto r = co_await f(Options{1}); !r) {\n  g();\n}",
    "statement after a condition": "if (ready) co_await f(Options{1});",
    "loop head": "while (co_await f({1, 2})) {\n  g();\n}",
    "reference capture": "co_await offload([&] { return work(); });",
    "copy capture": "co_await offload([=] { return work(); });",
    "named capture": "co_await offload([path] { return work(path); });",
    "init capture, several lines": "co_await offload(\n    pool,\n    [p = std::move(path)]() mutable { return work(p); });",
    "inside a lambda": "auto t = [&]() -> Task<void> { co_await f(Options{1}); };",
    "variable made from a braced argument": "Reply reply{co_await f(Options{1})};",
    "temporary around the await": "use(Reply{co_await f()});",
    "returned in braces": "co_return Reply{co_await f()};",
}

CLEAN = {
    "named": "const Options options{.name = n};\nco_await f(options);",
    "parentheses": "co_await sleep(Duration(5));",
    "lambda without captures": "co_await offload([] { return Options{1}; });",
    "subscript": "co_await tasks[i];\nco_await f(tasks[i], (*p)[k]);",
    "attribute": "[[maybe_unused]] auto r = co_await f();",
    "block after a condition": "if (co_await f()) {\n  g(Options{1});\n}",
    "statement after a condition": "if (early > Duration{}) co_await sleep_for(early);",
    "block after a loop head": "for (int i = 0; i < co_await f(); ++i) {\n  auto o = [&] { return 1; };\n}",
    "else": "if (x) {\n  g(Options{1});\n} else {\n  co_await f();\n}",
    "statement before": "g(Options{1});\nco_await f();",
    "block before": "{\n  g(Options{1});\n}\nco_await f();",
    "the coroutine's own captures": "auto t = [&]() -> Task<void> { co_await f(); };",
    "variable in braces": "Reply reply{co_await f()};",
    "comment": "// co_await f(Options{1});\nco_await f(/* {} */);",
    "string": 'co_await f("{", \'{\');',
    "raw string": 'co_await f(R"({"a": [1]})");',
    "digit separator": "co_await f(1'000);\ng(Options{1'000});",
    "allowed": "co_await f(Options{1});  // coroutine-lint: allow",
    "switch": "switch (co_await f()) {\n  case 1: {\n    co_await g();\n  }\n}",
    "try": "try {\n  co_await f();\n} catch (const std::exception& e) {\n  g(Options{1});\n}",
    "function": "Task<void> f(Options o = {}) {\n  co_await g();\n}",
    "do": "do {\n  co_await f();\n} while (x);",
}


class Coroutines(unittest.TestCase):
    def test_finds_faults(self):
        for name, source in FAULTS.items():
            with self.subTest(name):
                self.assertEqual(len(coroutines.check(wrap(source))), 1, source)

    def test_leaves_the_rest_alone(self):
        for name, source in CLEAN.items():
            with self.subTest(name):
                self.assertEqual(coroutines.check(wrap(source)), [], source)

    def test_tells_the_line(self):
        self.assertEqual(coroutines.check("void f() {\n  co_await g(\n      Options{1});\n}"), [(3, "a braced temporary")])


def wrap(statements):
    body = "\n".join("  " + line for line in statements.split("\n"))
    return f"Task<void> coroutine(Options options) {{\n{body}\n}}\n"


if __name__ == "__main__":
    sys.exit(unittest.main())
