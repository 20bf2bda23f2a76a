"""A coordinator restored from an older copy of its folder, among agents that know more: it notices, forks no keyring, gets
the lost versions back from its agents, and states hosts beyond what they have seen."""

import copy
import os
import shutil
import ssl
import subprocess
import unittest
import urllib.request

from hospital import FAILED_PRECONDITION, Hospital, Refused, one_stage
from people import host_statement
from processes import program, scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

CONNECT = "reprise.agent.v1.AgentService/Connect"


class OlderCopy(unittest.TestCase):
    def setUp(self):
        self.hospital = Hospital(scratch("older"), {"ws-001": {}, "ws-002": {}})
        self.addCleanup(self.hospital.end)

    def host(self, name):
        return self.hospital.call("GetHost", host=name)

    def ahead(self):
        status = self.hospital.call("GetStatus")
        return status["hosts_ahead"], status["ahead_example"]

    def gauge(self):
        context = ssl.create_default_context(cadata=self.hospital.identities["alice"]["ca"])
        context.check_hostname = False  # The authority is what counts: there is no other server of it here.
        url = f"https://127.0.0.1:{self.hospital.coordinator.web_port}/metrics"
        with urllib.request.urlopen(url, context=context, timeout=10) as answer:
            lines = answer.read().decode().split("\n")
        return next(line for line in lines if line.startswith("reprise_hosts_ahead "))

    def extend(self, statement):
        return self.hospital.call("ExtendKeyring", statement=statement)

    def say_hello(self, name, **hello):
        """As the host's agent would, with its own certificate, and not a word more."""
        identity = {"ca": self.hospital.identities["alice"]["ca"]}
        for key, file in (("certificate", "agent.crt"), ("key", "agent.key")):
            with open(os.path.join(self.hospital.agents[name].state, file), encoding="utf-8") as content:
                identity[key] = content.read()
        try:
            self.hospital.call_as(identity, CONNECT, {"messages": [{"hello": {"agent_version": "test", **hello}}]},
                                  seconds=2)
        except Refused:
            pass  # How the stream ends is of no concern: what was said is journalled.

    def agent_status(self, name):
        return subprocess.run([program("reprise-agent"), "status", "--state", self.hospital.agents[name].state],
                              check=True, capture_output=True, text=True, timeout=20).stdout

    def end_agents(self):
        for agent in self.hospital.agents.values():
            agent.end()

    def run_agents(self):
        for agent in self.hospital.agents.values():
            agent.run()
        self.hospital.wait_connected()

    def go_on_and_restore_the_copy(self):
        """Gives another second version of the keyring, as an admin at the old copy would make it."""
        hospital, older = self.hospital, self.hospital.data + ".older"
        hospital.coordinator.end()
        shutil.copytree(hospital.data, older)
        hospital.coordinator.start()
        hospital.wait_connected()
        other = copy.copy(hospital.keyring)
        other.chain = list(hospital.keyring.chain)
        fork = other.extend(hospital.alice)
        hospital.carol.active = False
        hospital.call("ExtendKeyring", statement=hospital.keyring.extend(hospital.alice))
        hospital.state_hosts(["ws-001"], zone="rebuilt")
        self.end_agents()
        self.run_agents()
        for name in hospital.agents:
            self.assertEqual(self.host(name)["keyring_version"], 2)
        self.assertEqual(self.ahead(), (0, ""))
        self.end_agents()
        hospital.coordinator.end()
        shutil.rmtree(hospital.data)
        os.rename(older, hospital.data)
        hospital.coordinator.start()
        self.assertEqual(hospital.call("GetStatus")["keyring_version"], 1)
        return fork

    def test_it_is_noticed_nothing_forks_and_what_was_lost_comes_back(self):
        hospital = self.hospital
        fork = self.go_on_and_restore_the_copy()
        self.assertEqual(self.ahead(), (0, ""), "nobody has told it yet")
        self.say_hello("ws-002", keyring_version=2, host_statement_serial=1)
        self.assertEqual(self.ahead(), (1, "ws-002 has keyring version 2 (here 1)"))
        wait_for(lambda: self.gauge() == "reprise_hosts_ahead 1", self.gauge)

        with self.assertRaises(Refused) as refused:
            self.extend(fork)
        self.assertEqual(refused.exception.code, FAILED_PRECONDITION)
        for words in ("ws-002 has keyring version 2", "older copy", "bring the missing statements back"):
            self.assertIn(words, refused.exception.message)

        hospital.agents["ws-001"].run()
        wait_for(lambda: hospital.call("GetStatus")["keyring_version"] == 2, "the agent to bring version 2 back")
        self.assertEqual([each["statement"] for each in hospital.call("GetKeyring")["chain"]],
                         [each["statement"] for each in hospital.keyring.chain])
        self.assertEqual(self.ahead(), (1, "ws-001 has a statement with serial 2 (here 1)"))
        with self.assertRaises(Refused):
            self.extend(fork)

        # What was said of the host is said again, beyond what its agent has.
        self.assertEqual(int(self.host("ws-001")["statement_serial_seen"]), 2)
        with self.assertRaises(Refused) as refused:
            hospital.call("RecordHostStatements", statements=[
                host_statement("ws-001", 2, hospital.alice, hold="police")])
        self.assertIn("serial 2", refused.exception.message)
        hospital.state_hosts(["ws-001"], zone="bubble")
        self.assertEqual(self.ahead(), (0, ""))
        wait_for(lambda: "bubble" in self.agent_status("ws-001"), lambda: self.agent_status("ws-001"))

        # The chain goes on, and everybody follows it.
        hospital.agents["ws-002"].run()
        hospital.wait_connected()
        hospital.carol.active = False
        self.extend(hospital.keyring.extend(hospital.alice))
        run = hospital.run_stages(one_stage([["ws-002"]], hospital.touch("after")), keyring_version=3)
        hospital.wait_run(run, "succeeded")
        self.assertEqual(hospital.effects_of("after"), {"ws-002": 1})

    def test_work_that_the_copy_does_not_know_is_noticed_and_finished_by_the_agent(self):
        hospital = self.hospital
        hospital.coordinator.end()
        older = hospital.data + ".older"
        shutil.copytree(hospital.data, older)
        hospital.coordinator.start()
        hospital.wait_connected()
        hospital.run_stages(one_stage([["ws-001"]], hospital.touch("slow", mode="slow", slow_ms=15000)))
        wait_for(lambda: hospital.agents["ws-001"].plugin_hosts(), "the action to begin")
        hospital.coordinator.kill()
        shutil.rmtree(hospital.data)
        os.rename(older, hospital.data)
        hospital.coordinator.start()
        hospital.wait_connected()
        self.assertEqual(self.ahead(), (1, "ws-001 has 1 task(s) of runs that are not known here"))
        wait_for(lambda: hospital.effects_of("slow") == {"ws-001": 1}, "the agent to finish what it accepted", 60)


if __name__ == "__main__":
    unittest.main()
