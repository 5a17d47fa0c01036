"""A sandbox with many processes, one of them a server, and one that says when it last ran."""

from pathlib import Path

from tests.support.local_blaxel import Server
from tests.support.waiting import wait_until

PROCESSES = 100
# Longer than falling asleep takes after it was said to have begun.
ASLEEP = 0.2
SLEEPERS = f"for n in $(seq {PROCESSES}); do sleep 100000 & done; wait"
ANSWERING = """
import http.server, sys

class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
"""
# The clock is the same outside.
TICKING = """
import os, time

tick = os.open("/blaxel/tick", os.O_RDWR | os.O_CREAT)
while True:
    os.pwrite(tick, b"%020.6f" % time.monotonic(), 0)
    time.sleep(0.001)
"""


def fill(server: Server, name: str) -> None:
    """Many processes that wait, and a server on port 3000."""
    server.run(name, SLEEPERS, waitForCompletion=False)
    server.serve(name, 3000, ANSWERING)
    count = "ls -d /proc/[0-9]* | wc -l"
    wait_until(lambda: int(server.run(name, count)["stdout"]) > PROCESSES)


def tick(server: Server, name: str) -> Path:
    """The file in which one of the sandbox's processes writes what time it is, again and again."""
    address = server.inside(name, "/filesystem//blaxel/tick.py")
    server.http.put(address, json={"content": TICKING}).raise_for_status()
    server.run(name, "python3 /blaxel/tick.py", waitForCompletion=False)
    return wait_until(lambda: next(server.state_dir.glob("sandboxes/*/disk/files/home/tick"), None))
