"""Builds the corpus, has the built command judge it, prints the confusion matrix. Fails on any false INTACT, and when more
than 1 % of the sound recovery points are accused."""

import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import corpus
import programs

BUILD = os.environ.get("REPRISE_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
SEED = os.environ.get("REPRISE_CORPUS_SEED", "1")
VERDICTS = ["INTACT", "INTACT_SAMPLED", "PARTIAL", "CORRUPT", "ENCRYPTED_TOTAL", "ENCRYPTED_PARTIAL", "TAMPERED", "UNREADABLE", "NOT_EVALUATED"]
SHORT = ["INTACT", "SAMPLED", "PARTIAL", "CORRUPT", "ENC_TOT", "ENC_PART", "TAMPER", "UNREAD", "NOT_EV"]
SOUND = {"INTACT", "INTACT_SAMPLED"}
ACCUSING = {"PARTIAL", "CORRUPT", "ENCRYPTED_TOTAL", "ENCRYPTED_PARTIAL", "TAMPERED"}


def matrix(judged, of):
    counts = collections.defaultdict(collections.Counter)
    for case, judgement in judged:
        counts[of(case)][judgement["verdict"]] += 1
    wide = max(len(row) for row in counts)
    lines = [" " * wide + "".join(f"{word:>9}" for word in SHORT)]
    for row in sorted(counts, key=lambda name: (not name.startswith("sound"), name)):
        lines.append(f"{row:<{wide}}" + "".join(f"{counts[row][verdict] or '.':>9}" for verdict in VERDICTS))
    return "\n".join(lines)


class CorpusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="corpus-")
        began = time.monotonic()
        cls.cases = corpus.build(os.path.join(cls.folder, "points"), SEED)
        built = time.monotonic()
        command = [os.path.join(BUILD, "bin/reprise"), "backup", "judge", "-o", "json"]
        paths = [os.path.join(cls.folder, "points", case.path) for case in cls.cases]
        environment = dict(os.environ, RESTIC_PASSWORD=programs.PASSWORD)
        done = subprocess.run(command + paths, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=120)
        cls.exit_code, cls.errors = done.returncode, done.stderr.decode(errors="replace")
        cls.judged = list(zip(cls.cases, json.loads(done.stdout or "[]")))
        size = sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(cls.folder) for name in names)
        print(f"seed {SEED}: {len(cls.cases)} recovery points, {size / 1e6:.0f} MB, built in {built - began:.1f} s, judged in "
              f"{time.monotonic() - built:.1f} s")
        print("\nwhat was done to it, against the verdict:\n" + matrix(cls.judged, lambda case: case.damage or "sound: " + case.kind))
        print("\nwhat it is, against the verdict, damaged only:\n" + matrix([pair for pair in cls.judged if pair[0].damage], lambda case: case.kind))
        sys.stdout.flush()

    @classmethod
    def tearDownClass(cls):
        if os.environ.get("REPRISE_CORPUS_KEEP"):
            print("kept:", cls.folder)
        else:
            shutil.rmtree(cls.folder)

    def told(self, pairs):
        shown = [f"{case.path} {case.kind}, {case.damage or 'sound'}: {judgement['verdict']}; {(judgement['evidence'] or [''])[0]}"
                 for case, judgement in pairs]
        return "\n" + "\n".join(shown[:40]) + self.errors

    def test_everything_is_judged_once_and_in_order(self):
        self.assertEqual([os.path.basename(judgement["path"]) for _, judgement in self.judged], [case.path for case in self.cases], self.errors)
        self.assertEqual(self.exit_code, 6, self.errors)

    def test_nothing_damaged_is_called_intact(self):
        wrong = [(case, judgement) for case, judgement in self.judged if case.damage and judgement["verdict"] == "INTACT"]
        self.assertEqual(wrong, [], self.told(wrong))

    def test_what_leaves_a_trace_is_not_called_sampled_either(self):
        wrong = [(case, judgement) for case, judgement in self.judged
                 if case.damage and not case.hidden and judgement["verdict"] == "INTACT_SAMPLED" and "INTACT_SAMPLED" not in case.true]
        self.assertEqual(wrong, [], self.told(wrong))

    def test_sound_recovery_points_are_not_accused(self):
        sound = [(case, judgement) for case, judgement in self.judged if not case.damage]
        wrong = [(case, judgement) for case, judgement in sound if judgement["verdict"] in ACCUSING]
        self.assertLessEqual(len(wrong), len(sound) // 100, self.told(wrong))

    def test_sound_recovery_points_get_the_verdict_that_is_true(self):
        wrong = [(case, judgement) for case, judgement in self.judged if not case.damage and judgement["verdict"] not in case.true]
        self.assertEqual(wrong, [], self.told(wrong))

    def test_most_damage_gets_the_verdict_that_is_true(self):
        damaged = [(case, judgement) for case, judgement in self.judged if case.damage and judgement["verdict"] not in SOUND]
        wrong = [(case, judgement) for case, judgement in damaged if judgement["verdict"] not in case.true]
        self.assertLessEqual(len(wrong), len(damaged) // 20, self.told(wrong))

    def test_every_bad_verdict_has_its_evidence(self):
        for case, judgement in self.judged:
            with self.subTest(case=case.path):
                self.assertTrue(judgement["evidence"])
                for finding in judgement["evidence"]:
                    self.assertLessEqual({"file", "offset", "expected", "found"}, finding.keys())
                self.assertGreaterEqual(judgement["coverage"], 0)
                self.assertLessEqual(judgement["coverage"], 1)
                if judgement["verdict"] == "PARTIAL":
                    self.assertTrue(judgement["missing"])


if __name__ == "__main__":
    unittest.main()
