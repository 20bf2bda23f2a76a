"""What every chapter of the weeks needs: plans made, signed and run by people, gates opened, and looks without Reprise."""

from namespaces import wait_for

ENDED = ("succeeded", "partial", "failed")


def joined(values):
    return ",".join(values)


class Chapters:
    def __init__(self, narration, place, site):
        self._tell, self._place, self._site, self._lab = narration, place, site, place.lab

    def _address(self, name):
        return self._lab.host(name).address

    # ---- plans, runs, gates ----

    def _begin(self, who, workflow, *settings, signers=()):
        plan, _ = self._site.plan(who, workflow, *settings)
        for name in signers:
            self._site.reprise(name, "approve", plan)
        return self._site.ask(who, "run", "start", plan)["id"]

    def _do(self, who, workflow, *settings, signers=(), seconds=120):
        run = self._begin(who, workflow, *settings, signers=signers)
        self._site.wait_run(run, ENDED, seconds)
        return run

    def _reach_gate(self, run, gate, seconds=120):
        wait_for(lambda: self._site.gate(run, gate)["state"] == "ready", lambda: self._site.outline(run, [f"at its gate {gate}"]), seconds,
                 every=0.2)

    def _pass_gate(self, run, gate, seconds=120):
        """carol opens it, and the run goes to its end."""
        self._reach_gate(run, gate)
        self._site.reprise("carol", "gate", "approve", str(run), gate, show=True)
        self._site.wait_run(run, ENDED, seconds)

    def _succeeded(self, run, text):
        view = self._site.run(run)
        if view["state"] != "succeeded":
            self._tell.say(self._site.outline(run, ["succeeded"]))
        self._tell.promise(text, view["state"] == "succeeded", f"run {run}")

    def _stage(self, application):
        stages = {each["name"]: each["stage"] for each in self._site.ask("bob", "board")["applications"]}
        return stages.get(application, "")

    # ---- asked without Reprise ----

    def _reaches(self, name, address, port):
        """Whether a TCP connection from that host is answered."""
        script = ("import socket,sys\ns=socket.socket()\ns.settimeout(1.5)\n"
                  "sys.exit(0 if s.connect_ex((sys.argv[1], int(sys.argv[2]))) == 0 else 1)")
        code, _ = self._lab.host(name).attempt("python3", "-c", script, address, str(port))
        return code == 0

    def _passes(self, name, address, port):
        """Whether a packet from that host comes to that host, be it only to be told that nobody listens."""
        script = ("import errno,socket,sys\ns=socket.socket()\ns.settimeout(1)\n"
                  "sys.exit(0 if s.connect_ex((sys.argv[1], int(sys.argv[2]))) in (0, errno.ECONNREFUSED) else 1)")
        code, _ = self._lab.host(name).attempt("python3", "-c", script, address, str(port))
        return code == 0
