"""Week 3, the servers of patient monitoring: six are checked, one was visited, its evidence is kept, it is cleaned and signed off."""

from monitoring_servers import CASE, SERVERS, TRACES, VISITED, WAYS, MonitoringServers


class MonitoringWeek:
    def __init__(self, narration, place, site, reference):
        self._tell, self._site, self._reference = narration, site, reference
        self._servers, self._run, self._ids = MonitoringServers(place.lab, site, reference), 0, []

    def tell(self):
        self.check()
        self.evidence()
        self.hold()
        self.clean()
        self.sign_off()

    def check(self):
        """Whoever planted it is forgotten here: what follows knows only what the check says."""
        self._tell.chapter("The six servers of patient monitoring join; somebody has been on one of them, and left four ways back")
        self._servers.settle()
        self._servers.enrol()
        self._tell.say(f"golden manifest: {self._servers.publish()} files of {self._reference}, made anew from the same image")
        self._servers.plant()
        run = self._servers.check()
        self._site.reprise("bob", "run", "show", str(run), show=True)
        found = self._servers.findings(run)
        flagged = sorted(name for name in SERVERS if found[name] or found[name] is None)
        self._tell.promise("exactly one of six is flagged", flagged == [VISITED], ", ".join(flagged))
        traces = {(finding["kind"], finding["path"]): finding for finding in found[VISITED] or []}
        for finding in traces.values():
            self._tell.say(f"{finding['sure']:8}  {finding['kind']:14}  {finding['path']}: {finding['found'][:90]}")
        named = [way for way, of_it in WAYS.items() if of_it <= set(traces)]
        self._tell.promise("with all four ways, and nothing that is not of them", len(named) == 4 and set(traces) == TRACES, "; ".join(named))
        self._ids = [finding["id"] for finding in traces.values()]

    def evidence(self):
        self._tell.chapter(f"bob plans to clean {VISITED}, which two people must sign; first the evidence is copied")
        self._run = self._servers.clean_up(self._ids)
        digest, wrong, listed = self._servers.evidence()
        self._tell.promise("every file of the evidence is as its manifest says, hashed without Reprise", not wrong, f"{len(listed)} files")
        self._tell.promise("and the manifest is the one that the run names", digest == self._servers.manifest_sha256(self._run), digest)

    def hold(self):
        self._tell.chapter("The police ask for that server as it is; carol, who does not know it, lets the cleaning begin")
        self._site.reprise("alice", "host", "hold", VISITED, "--reason", "complaint of 5 September: the police copy its disk", show=True)
        self._site.reprise("carol", "gate", "approve", str(self._run), "evidence-is-kept", show=True)
        why = self._servers.waits_with(self._run, "hold")
        self._tell.promise("under evidence hold nothing is taken away, and the run says why",
                           self._servers.planted() == set(WAYS) and self._servers.listens(), why)

    def clean(self):
        self._tell.chapter("The disk is copied, the hold released: the cleaning goes on by itself, then it is checked again")
        self._site.reprise("alice", "host", "release", VISITED, show=True)
        cleaned = self._servers.target(self._run, "clean", "succeeded", "failed")
        self._tell.promise("what was named is gone, asked on the server itself", not self._servers.planted() and not self._servers.listens(),
                           cleaned["steps"][0]["reason"])
        self._tell.promise("and the administrator can still log in", self._servers.administrator_remains())
        self._servers.target(self._run, "check-again", "succeeded", "failed")
        clean, all_of_them = self._servers.clean()
        self._tell.promise("checked again, with nothing found: six of six are clean", self._servers.findings(self._run, "check-again") ==
                           {VISITED: []} and (clean, all_of_them) == (6, 6), f"{clean} of {all_of_them}")

    def sign_off(self):
        self._tell.chapter("carol takes the server back for its ward; the sign-off checks it once more, and its evidence")
        self._site.reprise("carol", "gate", "approve", str(self._run), "ward-takes-it-back", show=True)
        view = self._site.wait_run(self._run, ("succeeded", "partial", "failed"), 60)
        signed = self._servers.target(self._run, "sign-off", "succeeded", "failed")["steps"][0]["reason"]
        self._tell.promise("signed off, its evidence whole", view["state"] == "succeeded" and not self._servers.evidence()[1], signed)
        self._site.reprise("alice", "host", "admit", VISITED, "--zone", "biomedical", "--trust", "cleaned", show=True)
        self._site.reprise("alice", "host", "admit", *(name for name in SERVERS if name != VISITED), "--zone", "biomedical", "--trust",
                           "checked", show=True)
        self._tell.say(f"its evidence stays: /var/lib/reprise-evidence/{CASE}")
