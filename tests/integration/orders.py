"""Helper programs that take orders in JSON lines (json_messages.h), and what they say on their own in between."""

import base64
import json
import os
import subprocess
import threading

import processes
from processes import Process


class OrderTaker:
    def __init__(self, name, log, *arguments):
        self.events, self._answers = [], []
        self._changed, self._one_at_a_time = threading.Condition(), threading.Lock()
        self._process = Process([os.path.join(processes.BUILD, "tests", name), *arguments], log,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            event = json.loads(line)
            with self._changed:
                (self._answers if event["is"] == "answer" else self.events).append(event)
                self._changed.notify_all()

    def tell(self, do, patience=30, **order):
        with self._one_at_a_time:
            self._process.stdin.write((json.dumps({"do": do, **order}) + "\n").encode())
            self._process.stdin.flush()
            with self._changed:
                if not self._changed.wait_for(lambda: self._answers, patience):
                    raise AssertionError(f"no answer to {do}; see {self._process.log_path}")
                answer = self._answers.pop(0)
        if not answer["ok"]:
            raise AssertionError(f"{do}: {answer['error']}")
        return answer

    def encode(self, message, value):
        return base64.b64decode(self.tell("encode", message=message, json=value)["bytes"])

    def mark(self):
        """Events from here on: give it to `wait`."""
        with self._changed:
            return len(self.events)

    def wait(self, wanted, since=0, seconds=20):
        """The first event since then that is wanted."""
        found = []

        def look():
            found[:] = [event for event in self.events[since:] if wanted(event)]
            return found

        with self._changed:
            if not self._changed.wait_for(look, seconds):
                raise AssertionError(f"nothing of the kind within {seconds} s; heard: {self.events[since:]}")
        return found[0]

    def end(self):
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
