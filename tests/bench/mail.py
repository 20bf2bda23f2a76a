"""How fast mailboxes move from one real Dovecot to another, ours beside mbsync: the same mailboxes, in the same run, in turns. mbsync goes as
it likes best, one process for all or several side by side; of its ways the fastest counts. Ours is the action `mail.prestage`, whole:
roster, ledgers on disk, hashes. Then what it costs to read every message again on both sides, its memory, and a long roster."""

import shutil

from bench_site import median
from mail_site import MailSite

SIDE_BY_SIDE = (1, 4, 8)  # mbsync's processes.
CONNECTIONS = 8           # Ours.


def pairs_of(kind, turn, program, boxes):
    return [(f"{kind}{number}@hr1.example", f"{kind}{number}-{program}-{turn}@hr1.example") for number in range(boxes)]


def users_of(sizes):
    old, new = [], []
    for kind, boxes in (("small", sizes["mail_small"]), ("large", sizes["mail_large"])):
        for turn in range(sizes["turns"]):
            for name in ("ours", *(f"mbsync{many}" for many in SIDE_BY_SIDE)):
                pairs = pairs_of(kind, turn, name, boxes)
                new += [target for _, target in pairs]
        old += [source for source, _ in pairs]
    for kind in ("one", "many"):
        old.append(f"{kind}0@hr1.example")
        new.append(f"{kind}0-ours-0@hr1.example")
    return old, new


class Boxes:
    """`boxes` mailboxes of so many messages each."""

    def __init__(self, site, kind, boxes, messages):
        self._site, self._kind, self._boxes, self._messages = site, kind, boxes, messages
        for user, _ in pairs_of(kind, 0, "ours", boxes):
            site.fill(user, messages)

    def _whole(self, pairs, what):
        for _, user in pairs:
            if self._site.copied(user) != self._messages:
                raise AssertionError(f"{what} copied {self._site.copied(user)} of {self._messages} messages")
        self._site.forget(user for _, user in pairs)

    def ours(self, turn):
        """Seconds without and with the look at both sides."""
        pairs = pairs_of(self._kind, turn, "ours", self._boxes)
        name = f"{self._kind}-{turn}"
        request = self._site.request(name, pairs, min(CONNECTIONS, self._boxes))
        took, _ = self._site.ours("prestage", request)
        looked, said = self._site.ours("verify", request)
        if not said["holds"] or said["observed"]["read"] != self._boxes * self._messages:
            raise AssertionError(f"not the same on both sides: {said['summary']}")
        self._whole(pairs, "ours")
        shutil.rmtree(self._site.path(f"{name}.state"))
        return took, took + looked

    def mbsync(self, turn, processes):
        pairs = pairs_of(self._kind, turn, f"mbsync{processes}", self._boxes)
        took = self._site.mbsync(f"{self._kind}-{turn}-{processes}", pairs, processes)
        self._whole(pairs, "mbsync")
        return took

    def measure(self, turns):
        plain, verified, theirs = [], [], {many: [] for many in SIDE_BY_SIDE if many == 1 or many <= max(self._boxes, 4)}
        for turn in range(turns):
            took, with_look = self.ours(turn)
            plain.append(took)
            verified.append(with_look)
            for many, times in theirs.items():
                times.append(self.mbsync(turn, many))
        messages, name = self._boxes * self._messages, f"mail.{self._kind}_boxes"
        best = min(theirs, key=lambda many: median(theirs[many]))
        return {f"{name}_per_s": round(messages / median(plain)), f"{name}_mbsync_per_s": round(messages / median(theirs[best])),
                f"{name}_mbsync_processes": best, f"{name}_mbsync_alone_per_s": round(messages / median(theirs[1])),
                f"{name}_ratio": round(median(theirs[best]) / median(plain), 3),
                f"mail.verified_{self._kind}_boxes_per_s": round(messages / median(verified)),
                f"mail.verified_{self._kind}_boxes_cost": round(median(verified) / median(plain), 2)}


def peak(site, kind, messages):
    """MiB of ours at one mailbox of so many messages, copied and then looked at."""
    pairs = pairs_of(kind, 0, "ours", 1)
    site.fill(pairs[0][0], messages, small=True)
    request = site.request(kind, pairs, 1)
    copied, looked = (site.ours(verb, request)[1] for verb in ("prestage", "verify"))
    if site.copied(pairs[0][1]) != messages or not looked["holds"]:
        raise AssertionError(f"{looked['summary']}")
    site.forget([pairs[0][1]])
    return round(max(copied["peak_kib"], looked["peak_kib"]) / 1024, 1)


def roster(site, boxes):
    """A roster of so many mailboxes, each with its ledger of 60 messages, asked for their states and counts."""
    request = site.request("roster", [(f"user{number}@hr1.example",) * 2 for number in range(boxes)], 1)
    site.ours("ledgers", request, 60)
    took, said = site.ours("states", request)
    if not said["holds"] or said["observed"]["boxes"] != boxes:
        raise AssertionError(said["summary"])
    return took, round(said["peak_kib"] / 1024, 1)


def measure(sizes):
    site = MailSite(users_of(sizes))
    try:
        figures = {}
        for kind in ("small", "large"):
            boxes = Boxes(site, kind, sizes[f"mail_{kind}"], sizes[f"mail_{kind}_messages"])
            figures.update(boxes.measure(sizes["turns"]))
        figures["mail.box_messages"], figures["mail.large_box_messages"] = sizes["mail_one"], sizes["mail_one_large"]
        figures["mail.peak_rss_box_mib"] = peak(site, "one", sizes["mail_one"])
        figures["mail.peak_rss_large_box_mib"] = peak(site, "many", sizes["mail_one_large"])
        took, figures["mail.peak_rss_roster_mib"] = roster(site, sizes["mail_roster"])
        figures["mail.roster_4100_s"] = round(took * 4100 / sizes["mail_roster"], 3)
        return figures
    finally:
        site.end()
