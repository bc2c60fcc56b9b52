"""How a node ends: what is under way is finished, or cancelled when time is up."""

import os
import signal
import threading

import cluster


class Call(threading.Thread):
    """`micro call` in the background."""

    def __init__(self, test, endpoint, body):
        super().__init__()
        self.test, self.endpoint, self.body = test, endpoint, body
        self.start()

    def run(self):
        self.done = self.test.micro("call", "trouble", self.endpoint, self.body, "--timeout", "60s", timeout=60)

    def result(self):
        self.join()
        return self.done


class StopTest(cluster.ClusterTest):
    def test_a_call_under_way_is_finished(self):
        node = self.node("trouble")
        call = Call(self, "Trouble.Wait", '{"milliseconds": 1500}')
        node.wait_line("wait begins")
        self.terminate(node)
        node.wait_line("wait ends")
        done = call.result()
        self.assertEqual((done.returncode, done.stdout), (0, '{"text":"waited"}\n'), done.stderr)

    def test_a_call_is_cancelled_at_the_drain_timeout(self):
        node = self.node("trouble", "--drain_timeout", "200ms")
        call = Call(self, "Trouble.Wait", '{"milliseconds": 60000}')
        node.wait_line("wait begins")
        self.terminate(node)
        node.wait_line("wait was cancelled")
        done = call.result()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"micro: UNAVAILABLE.*the server is stopping")

    def test_a_second_signal_cancels_at_once(self):
        node = self.node("trouble", "--drain_timeout", "1h")
        call = Call(self, "Trouble.Wait", '{"milliseconds": 60000}')
        node.wait_line("wait begins")
        node.signal(signal.SIGTERM)
        node.wait_line("stopping: SIGTERM")
        self.assertTrue(node.running())
        self.terminate(node)
        node.wait_line("second signal: cancelling the calls still under way")
        node.wait_line("wait was cancelled")
        self.assertEqual(call.result().returncode, 1)

    def test_a_handler_that_ignores_being_cancelled_does_not_hold_it(self):
        # What such a handler may still use is left alone until the process has ended, which is a leak by the book.
        leak = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
        node = self.node("trouble", "--drain_timeout", "100ms", env=leak)
        call = Call(self, "Trouble.Ignore", '{"milliseconds": 600000}')
        node.wait_line("ignore begins")
        self.terminate(node)
        node.wait_line("calls did not end although they were cancelled.*calls=1")
        self.assertEqual(call.result().returncode, 1)

    def test_sigint_is_the_same(self):
        node = self.node()
        node.signal(signal.SIGINT)
        self.assertEqual(node.wait(), 0)
        node.wait_line("stopping: SIGINT")
        node.wait_line("stopped")
        self.assertEqual(self.listed(), [])

    def test_a_signal_at_the_first_opportunity(self):
        # As soon as it says that it listens a node can be asked to stop, and does so properly.
        for _ in range(10):
            node = self.start("greeter", "--loops", "1")
            node.wait_line("listening on")
            self.terminate(node)
            node.wait_line("stopped")

    def test_idle_connections_do_not_hold_it(self):
        node = self.node()
        gate = self.gateway()
        self.post(gate.address, "/api/greeter/Greeter.Hello", '{"name":"John"}')
        idle = [cluster.http.client.HTTPConnection(node.address, timeout=cluster.PATIENCE) for _ in range(3)]
        for connection in idle:
            connection.connect()
        idle[0].request("POST", "/greeter.Greeter/Hello", '{"name":"John"}', {"content-type": "application/json"})
        self.assertEqual(idle[0].getresponse().status, 200)
        self.terminate(node)
        self.terminate(gate)
        for connection in idle:
            connection.close()

    def test_the_rest_goes_on(self):
        first, second = self.node(), self.node()
        gate = self.gateway()
        gate.wait_line(rf"\[greeter\] node \[{first.address}\] join")
        self.terminate(first)
        for each in (second, gate):
            each.wait_line(rf"\[greeter\] node \[{first.address}\] leave")
        status, headers, _ = self.post(gate.address, "/api/greeter/Greeter.Hello", '{"name":"John"}')
        self.assertEqual((status, headers["X-Micro-Node"]), (200, second.address))
        self.terminate(second)
        gate.wait_line(rf"\[greeter\] node \[{second.address}\] leave")
        status, _, body = self.post(gate.address, "/api/greeter/Greeter.Hello", '{"name":"John"}')
        self.assertIn(status, (404, 503), body)
        self.assertIn("greeter", body)
        third = self.node()
        gate.wait_line(rf"\[greeter\] node \[{third.address}\] join")
        status, _, body = self.post(gate.address, "/api/greeter/Greeter.Hello", '{"name":"John"}')
        self.assertEqual(status, 200, body)


class PauseTest(cluster.ClusterTest):
    def test_a_paused_process_is_out_and_back_when_it_goes_on(self):
        node = self.node("greeter", "--register_ttl", "1s", "--register_interval", "300ms")
        gate = self.gateway()
        line = rf"\[greeter\] node \[{node.address}\]"
        gate.wait_line(f"{line} join")
        node.signal(signal.SIGSTOP)
        gate.wait_line(f"{line} leave")
        self.assertEqual(self.listed(), [])
        node.signal(signal.SIGCONT)
        gate.wait_line(f"{line} join", 2)
        self.assertEqual(self.post(gate.address, "/api/greeter/Greeter.Hello", '{"name":"John"}')[0], 200)


class KillTest(cluster.ClusterTest):
    def kill_one_of_three(self, endpoint):
        """12 calls through the gateway under way on three nodes, one of which is killed: (the node, its calls, all answers)."""
        nodes = [self.node("trouble") for _ in range(3)]
        gate = self.gateway()
        answers = []
        path = f"/api/trouble/{endpoint}"
        calls = [threading.Thread(target=lambda: answers.append(self.post(gate.address, path, '{"milliseconds":2000}')))
                 for _ in range(12)]
        for call in calls:
            call.start()
        for node in nodes:
            node.wait_line("wait begins", 4)
        victim = nodes[0]
        victim.signal(signal.SIGKILL)
        victim.wait()
        for call in calls:
            call.join()
        return victim, len(victim.matches("wait begins")), answers

    def test_calls_on_the_node_fail_and_no_other(self):
        victim, on_victim, answers = self.kill_one_of_three("Trouble.Wait")
        failed = [answer for answer in answers if answer[0] != 200]
        self.assertEqual((len(answers), len(failed)), (12, on_victim), answers)
        for status, _, body in failed:
            self.assertEqual(status, 503, body)
            self.assertIn(victim.address, body)

    def test_calls_that_may_be_repeated_do_not_fail(self):
        _, _, answers = self.kill_one_of_three("Trouble.WaitAgain")
        self.assertEqual([answer[0] for answer in answers], [200] * 12)


if __name__ == "__main__":
    cluster.main()
