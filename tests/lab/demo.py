"""Tells the EDR campaign on real parts, from an empty folder to a verified journal. Called by ./demo, which builds first."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from artifacts import fetch  # noqa: E402
from facts_week import FactsWeek  # noqa: E402
from first_weeks import PROVER, FirstWeeks  # noqa: E402
from imaging_week import ImagingWeek  # noqa: E402
from lab import BUILD, LabError, why_impossible  # noqa: E402
from laboratory_week import LaboratoryWeek  # noqa: E402
from mail_week import MailWeek  # noqa: E402
from monitoring_week import MonitoringWeek  # noqa: E402
from narration import Narration  # noqa: E402
from places import LabPlace, PlainPlace  # noqa: E402
from running_site import ROOT, Site  # noqa: E402
from story import Story  # noqa: E402

FAILURES = os.path.join(BUILD, "demo-failure")


class Ended(Exception):
    """Somebody asked for the end (Ctrl-C, SIGTERM)."""


def on_signal(number, _frame):
    raise Ended(signal.Signals(number).name)


def keep_logs(place, site):
    """What a person needs to find out why; the rest is torn down."""
    shutil.rmtree(FAILURES, ignore_errors=True)
    os.makedirs(FAILURES)
    if site and os.path.exists(site.log):
        shutil.copy(site.log, FAILURES)
    if place:
        try:
            logs = place.logs()
        except LabError as error:  # It did not come so far as to have any.
            logs = {"no-logs.txt": f"{error}\n"}
        for name, text in logs.items():
            with open(os.path.join(FAILURES, name), "w", encoding="utf-8") as file:
                file.write(text)
    return FAILURES


def tell(narration, place, site, artifacts):
    story = Story(narration, place, site)
    story.found_a_site(artifacts)
    story.enrol()
    if isinstance(place, LabPlace):
        weeks = FirstWeeks(narration, place, site)
        weeks.enrol()
        FactsWeek(narration, place, site).facts()
        weeks.backups()
        weeks.bubble()
        weeks.refused_restore()
        MailWeek(narration, place, site).mail()
        weeks.proof()
        weeks.agiletime()
        weeks.maincare()
        ImagingWeek(narration, place, site, weeks.disk).imaging()
        laboratory = LaboratoryWeek(narration, place, site, weeks.disk)
        laboratory.laboratory()
        laboratory.way_through()
        laboratory.interface()
        laboratory.open()
        MonitoringWeek(narration, place, site, reference=PROVER).tell()
        laboratory.way_closed()
    story.plan_and_sign()
    story.canary_and_gate()
    story.kill_in_mid_wave()
    story.waves_end()
    story.catch_up()
    story.count()
    story.stop_everything(*place.drill())
    story.verify_the_journal()
    if isinstance(place, LabPlace):
        weeks.board()


def where_to_look(narration, place, site):
    narration.chapter("It stays up until Ctrl-C. In another terminal:")
    narration.say(f"export REPRISE_PROFILE={site.profile('alice')}        # bob and carol are beside her")
    for command in ("host ls", "coverage", "run ls", "board", "report board", f"report run {site.newest_run()} --lang fr", f"journal verify {site.data}"):
        narration.say(f"{os.path.relpath(os.path.join(BUILD, 'bin', 'reprise'), ROOT)} {command}")
    narration.say(f"curl --cacert {site.profile('alice')}/ca.crt https://{site.address}:{site.web_port}/metrics")
    for command in place.explore():
        narration.say(command)


def main():
    parser = argparse.ArgumentParser(prog="demo", description="Shows Reprise at work; see README.md.")
    parser.add_argument("--batch", action="store_true", help="end by itself; exit code 0 only if every promise was kept")
    parser.add_argument("--reduced", action="store_true", help="plain processes instead of lab hosts, also where a lab could be made")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    narration, place, site = Narration(), None, None
    folder = os.path.join(BUILD, "lab", f"demo-{uuid.uuid4().hex[:6]}")
    try:
        impossible = "asked for with --reduced" if arguments.reduced else why_impossible()
        if impossible:
            narration.chapter(f"Reduced form, because no lab of hosts is made here: {impossible}")
            narration.say("Nothing is installed on anything: agents are plain processes, and a mock stands in for the sensor.")
        chosen = PlainPlace if impossible else LabPlace
        artifacts = [] if impossible else [*fetch(os.path.join(BUILD, "artifacts")),
                                           os.path.join(ROOT, "plugins", "edr", "signatures", "reprise.ndb")]
        narration.chapter(f"The place: {chosen.title}")
        place = chosen(folder)
        site = Site(os.path.join(place.folder, "site"), BUILD, place.address, place.through, narration.typed, place.ports)
        tell(narration, place, site, artifacts)
        narration.sum_up()
        kept = narration.all_kept()
        if not kept:
            narration.say(f"logs: {keep_logs(place, site)}")
        if not arguments.batch:
            where_to_look(narration, place, site)
            signal.pause()
        return 0 if kept else 1
    except Ended as ended:
        narration.say(f"ended by {ended}")
        return 0 if not arguments.batch else 130
    except (LabError, OSError, subprocess.TimeoutExpired) as error:
        narration.say(f"FAILED: {error}")
        narration.say(f"logs: {keep_logs(place, site)}")
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if site:
            site.end()
        if place:
            place.end()
        shutil.rmtree(folder, ignore_errors=True)


sys.exit(main())
