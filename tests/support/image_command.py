"""`python -m local_blaxel image`, beside a server that runs."""

import subprocess
import sys

from tests.support.local_blaxel import ROOT, Server


def image(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local_blaxel", "image", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=server.environ(), capture_output=True, text=True, timeout=60
    )
