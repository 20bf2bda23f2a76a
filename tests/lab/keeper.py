"""Process 1 of a lab: everything of the lab lives in its namespaces and ends with it.

    keeper.py FOLDER MEGABYTES STAY|FOLLOW

Mounts the lab's disk (tmpfs) at FOLDER/disk, says "ready", then buries orphans until SIGTERM. FOLLOW: also ends
when its standard input does, so that a lab never outlives whoever holds the other end, however that one ended.
"""

import os
import select
import signal
import subprocess
import sys


def main():
    folder, megabytes, mode = sys.argv[1:]
    # The kernel gives process 1 no default action: SIGTERM needs a handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "lab", os.path.join(folder, "disk")],
                   check=True)
    print("ready", flush=True)
    watched = [wake] + ([0] if mode == "FOLLOW" else [])
    while True:
        for ready in select.select(watched, [], [])[0]:
            if not os.read(ready, 512) and ready == 0:
                return
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


main()
