"""The environment and the home directory that a sandbox's commands find."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from . import egress

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SYSTEM_PYTHON = Path("/usr/bin/python3")
# Where the launcher puts pip, shared by all sandboxes and read-only.
SHARED_PIP = Path(__file__).resolve().parents[3] / "pip"


def environment(home: str, *, is_isolated: bool) -> dict[str, str]:
    path = SYSTEM_PATH if is_isolated else os.environ.get("PATH", SYSTEM_PATH)
    environ = {
        "HOME": home,
        "PATH": f"{home}/.venv/bin:{path}",
        "VIRTUAL_ENV": f"{home}/.venv",
        "WORKDIR": home,
        "USER": "blaxel",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        # Where Blaxel tells servers to listen.
        "HOST": "0.0.0.0",  # noqa: S104
    }
    if "LD_LIBRARY_PATH" in os.environ and not SYSTEM_PYTHON.exists():
        # python3 is then the agent's own, which finds its library only through this.
        environ["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environ | (egress.environment() if is_isolated else {})


def make_venv(home: str) -> None:
    """A virtual environment by hand: starting python3 for it would cost each sandbox 0.1 s."""
    venv = Path(home, ".venv")
    if os.path.lexists(venv):
        return
    # A user's own image may have no Python: ours runs by means that only we have.
    other = os.environ.get("LOCAL_BLAXEL_PYTHON")
    if other is None and "PYTHONHOME" not in os.environ:
        other = sys.executable
    if other is None and not SYSTEM_PYTHON.exists():
        return
    python = SYSTEM_PYTHON if SYSTEM_PYTHON.exists() else Path(str(other))
    version = python.resolve().name.removeprefix("python")
    packages = venv / "lib" / f"python{version}" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "pip.pth").write_text(f"{SHARED_PIP}\n")
    (venv / "pyvenv.cfg").write_text(
        f"home = {python.parent}\ninclude-system-site-packages = false\nversion = {version}\n"
    )
    binaries = venv / "bin"
    binaries.mkdir()
    (binaries / "python3").symlink_to(python)
    (binaries / "python").symlink_to("python3")
    for name in ("pip", "pip3"):
        script = binaries / name
        script.write_text(f'#!/bin/sh\nexec "{binaries}/python3" -m pip "$@"\n')
        script.chmod(0o755)
