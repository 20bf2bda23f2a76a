"""The disk with the hospital's backups: real dumps and storage, dated as they were, and the newest of them encrypted."""

import calendar
import concurrent.futures
import hashlib
import os
import subprocess
import time

import imaging_data
from namespaces import LabError

_HERE = os.path.dirname(os.path.abspath(__file__))


class BackupDisk:
    """`folder`/SET/POINT/files. `files`: those that restores need, for the store of artifacts."""

    older, newest = "2022-08-12", "2022-08-18"

    def __init__(self, folder):
        self.folder, self.files, self.sets = folder, [], ("agiletime-db", "maincare-db", "lis-db", "pacs-images")
        self.studies, self.images = 8, 48
        self._making = None

    def begin(self):
        """Makes it beside what else is going on."""
        self._making = concurrent.futures.ThreadPoolExecutor(1).submit(self.make)

    def wait(self):
        self._making.result()

    def end(self):
        """Nobody writes to it any more, be it whole or not."""
        concurrent.futures.wait([self._making])

    def make(self):
        with concurrent.futures.ThreadPoolExecutor() as beside:
            parts = [beside.submit(self._agiletime), beside.submit(self._imaging),
                     beside.submit(lambda: [self._others("maincare", "--patients", "1500"), self._others("lis", "--samples", "1000")])]
            for part in parts:
                part.result()
        self.files.sort()

    def path(self, set_name):
        return os.path.join(self.folder, set_name)

    @staticmethod
    def files_of(application, point):
        """As artifacts are chosen: the dumps and the lists of their checksums."""
        return {"agiletime": f"agiletime-{point}.dump*", "maincare": f"*-maincare-{point}.dump*", "lis": f"lis-{point}.dump*"}[application]

    def _agiletime(self):
        made = os.path.join(self.folder, "made-agiletime")
        self._data("agiletime", made)
        with open(os.path.join(made, "agiletime.dump"), "rb") as file:
            dump = file.read()
        for point, content in ((self.older, dump), (self.newest, _encrypted(dump))):
            name = f"agiletime-{point}.dump"
            self._write("agiletime-db", point, name, content)
            # As the backup job wrote it that night, before anybody encrypted anything.
            self._write("agiletime-db", point, f"{name}.sha256", f"{hashlib.sha256(dump).hexdigest()}  {name}\n".encode())
        self._clear(made)

    def _others(self, application, *how_much):
        made = os.path.join(self.folder, f"made-{application}")
        self._data(application, made, *how_much)
        for dump in sorted(os.listdir(made)):
            with open(os.path.join(made, dump), "rb") as file:
                content = file.read()
            module = dump.removesuffix(".dump")
            name = f"{module}-{self.older}.dump" if module == application else f"{module}-{application}-{self.older}.dump"
            self._write(f"{application}-db", self.older, name, content)
            self._write(f"{application}-db", self.older, f"{name}.sha256", f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
        self._clear(made)

    def _imaging(self):
        """The storage of an imaging server without its index; too large for the store of artifacts, were it a hospital's."""
        point = os.path.join(self.path("pacs-images"), self.older)
        try:
            if imaging_data.make(point) != self.images:
                raise LabError("the images are not as many as they should be")
        except imaging_data.ImagingError as error:
            raise LabError(f"making the storage of the imaging server: {error}") from error
        for where, _, names in os.walk(point):
            for name in names:
                os.utime(os.path.join(where, name), (self._taken(self.older), self._taken(self.older)))

    @staticmethod
    def _taken(point):
        return calendar.timegm(time.strptime(f"{point} 01:30", "%Y-%m-%d %H:%M"))

    def _data(self, application, folder, *how_much):
        done = subprocess.run(["python3", "-B", os.path.join(_HERE, "application_data.py"), application, "--out", folder, *how_much],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=180)
        if done.returncode != 0:
            raise LabError(f"making the data of {application}: {done.stderr.strip()}")

    def _write(self, set_name, point, name, content):
        path = os.path.join(self.folder, set_name, point, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (self._taken(point), self._taken(point)))
        self.files.append(path)

    @staticmethod
    def _clear(folder):
        for name in os.listdir(folder):
            os.remove(os.path.join(folder, name))
        os.rmdir(folder)


def _encrypted(content):
    """As ransomware does: a stream cipher over all of it, the name kept."""
    key = os.urandom(32).hex()
    done = subprocess.run(["openssl", "enc", "-aes-256-ctr", "-K", key, "-iv", "0" * 32, "-nosalt"], input=content,
                          capture_output=True, check=False, timeout=60)
    if done.returncode != 0:
        raise LabError(f"openssl: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
