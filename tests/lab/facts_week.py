"""Week 1: what stands there. Every host has told what it is when it joined; the inventory is held against it."""

import json

from chapters import ENDED, Chapters
from places import HOSTS

DEVIATES, MISSING = "ws-maternity-1", "ws-maternity-2"
POSTS = "class in (workstation, admin_workstation, loaned_pc)"


class FactsWeek(Chapters):
    def facts(self):
        self._tell.chapter("Week 1: what stands there. Hosts tell their facts; the inventory is held against them, and nothing is changed")
        hosts = [host for host in self._site.ask("bob", "host", "ls")["hosts"] if host["connected"]]
        told = json.loads(self._site.ask("bob", "host", "show", DEVIATES)["facts_json"])
        self._tell.say(f"{DEVIATES} says: {told['os']['name']}, kernel {told['kernel']['release']}, {told['packages']['count']} packages "
                       f"({told['packages']['sha256'][:12]}…), {len(told['listening'])} ports listened on")
        self._tell.promise("every host that joined has told its facts by itself", all(int(host["facts_ms"]) > 0 for host in hosts),
                           f"{len(hosts)} hosts")
        plan, needed = self._site.plan("bob", "facts-check")
        run = self._site.ask("bob", "run", "start", plan)["id"]
        self._site.wait_run(run, ENDED, 60)
        self._site.reprise("bob", "run", "show", str(run), show=True)
        words = ("coverage", "--claim", "host.as_declared", "--selector", POSTS)
        self._site.reprise("bob", *words, codes=(6,), show=True)
        coverage = self._site.ask("bob", *words, codes=(6,))
        gaps = {gap["host"]: gap for gap in coverage["gaps"]}
        self._tell.promise("who is not what the inventory says is named, and so is who was not found",
                           set(gaps) == {DEVIATES, MISSING} and gaps[MISSING]["code"] == "not_enrolled"
                           and "declared debian-11, found debian-12" in gaps[DEVIATES]["reason"],
                           f"{coverage['holds']} of {coverage['inventory']} as declared; {DEVIATES}: {gaps.get(DEVIATES, {}).get('reason')}")
        self._tell.promise("the look needed no signature, and installed nothing",
                           needed == 0 and all(self._place.effects(name) == 0 for name in HOSTS))
