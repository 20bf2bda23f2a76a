"""What a demonstration says: chapters, what people typed and saw, and the promises that it holds itself to."""

import os
import shlex
import sys
import time

_SHOWN_MAX = 100


class Narration:
    def __init__(self, out=sys.stdout):
        self._out, self._started = out, time.monotonic()
        self._colored = out.isatty() and not os.environ.get("NO_COLOR")
        self.promises = []

    def chapter(self, text):
        self._line("")
        self._line(self._paint("1", f"[{time.monotonic() - self._started:5.1f} s] {text}"))

    def say(self, text):
        for line in text.splitlines():
            self._line(f"  {line}")

    def typed(self, who, words, said=""):
        """A command of the `reprise` command line, and what it answered."""
        self._line(self._paint("36", f"  {who}$ reprise {shlex.join(words)}"))
        lines = said.rstrip().splitlines()
        for line in lines[:_SHOWN_MAX]:
            self._line(f"    {line}")
        if len(lines) > _SHOWN_MAX:
            self._line(f"    … {len(lines) - _SHOWN_MAX} lines more")

    def promise(self, text, kept, seen=""):
        """Held to at the end; a broken one is told at once, and ends nothing."""
        self.promises.append((text, bool(kept), seen))
        mark = self._paint("32", "kept  ") if kept else self._paint("31", "BROKEN")
        self._line(f"  {mark} {text}{'' if kept and not seen else f' ({seen})' if seen else ''}")

    def all_kept(self):
        return bool(self.promises) and all(kept for _, kept, _ in self.promises)

    def sum_up(self):
        broken = [(text, seen) for text, kept, seen in self.promises if not kept]
        self.chapter(f"{len(self.promises) - len(broken)} of {len(self.promises)} promises kept")
        for text, seen in broken:
            self.say(f"BROKEN: {text}{f' ({seen})' if seen else ''}")

    def _paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self._colored else text

    def _line(self, text):
        print(text, file=self._out, flush=True)
