"""Week 3, the imaging server: its storage was copied and judged, its index is lost; it is made anew in the bubble."""

import json
import re

from chapters import Chapters

SERVER, TITLE, DICOM_PORT = "srv-pacs-1", "HR1PACS", "4242"


class ImagingWeek(Chapters):
    def __init__(self, narration, place, site, disk):
        super().__init__(narration, place, site)
        self._disk = disk

    def imaging(self):
        self._tell.chapter("The imaging server: every image is there, its index is lost; the judged disk is carried into the bubble")
        self._lab.host(SERVER).take_in(self._disk.path("pacs-images"), "/srv/pacs-disk")
        run = self._begin("bob", "pacs", f"copy=pacs-images/{self._disk.older}", f"point={self._disk.older}", "source=/srv/pacs-disk",
                          signers=("alice",))
        self._reach_gate(run, "index-is-lost")
        lost = self._studies()
        self._tell.promise("a real Orthanc runs on the kept storage, and shows nothing of it, asked with dcmtk", lost == [],
                           f"{len(lost)} studies")
        self._pass_gate(run, "index-is-lost")
        self._succeeded(run, "its index is made anew, storage and index held against each other by dcmtk")
        steps = {step["name"]: step for step in self._site.targets(run, "index")[SERVER]["steps"]}
        for item in json.loads(steps["prove"]["evidence_json"])["evidence"]:
            self._tell.say(f"{item['kind']}: {item['text']}")
        studies = self._studies()
        self._tell.promise("every study and every image is shown again, asked with dcmtk, without Reprise",
                           (len(studies), sum(studies)) == (self._disk.studies, self._disk.images),
                           f"{len(studies)} of {self._disk.studies} studies, {sum(studies)} of {self._disk.images} images")
        stage = self._stage("pacs")
        self._tell.promise("it works without interfaces: no modality may store yet", stage == "degraded_no_interface", stage)

    def _studies(self):
        """How many images each study has, by C-FIND on the server itself."""
        code, said = self._lab.host(SERVER).attempt(
            "findscu", "-v", "-to", "5", "-aet", "REPRISE", "-aec", TITLE, "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID",
            "-k", "NumberOfStudyRelatedInstances", "127.0.0.1", DICOM_PORT)
        if code != 0 or "Received Final Find Response (Success)" not in said:
            return None
        return [int(count) for count in re.findall(r"\(0020,1208\) IS \[(\d+)", said.partition("Find Response: 1")[2])]
