"""Make .venv hold what a hash-locked file says, with uv where it can be had, else with pip.

Standard library only: the system's Python runs it before anything is installed.
"""

import signal

if __name__ == "__main__":
    # Before the other imports: Ctrl-C then ends this as it ends pip, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import ast
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# Written last, so that an installation that broke off is done again.
STAMP = VENV / "installed"
LOCKS = {"run": ROOT / "requirements.lock", "test": ROOT / "requirements-dev.lock"}
UV_LOCK = ROOT / "requirements-uv.lock"
UV_OPTIONS = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
}


def main(purpose: str) -> int:
    with only_one_at_a_time():
        if is_installed(purpose):
            return 0
        STAMP.unlink(missing_ok=True)
        try:
            make_venv()
            sync(LOCKS[purpose])
        except subprocess.CalledProcessError as exc:
            print(f"setup: {' '.join(map(str, exc.cmd[:5]))} … failed, see above.", file=sys.stderr)
            return 1
        draft = STAMP.with_suffix(".new")
        draft.write_text(stamp(purpose))
        draft.replace(STAMP)
    return 0


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Hold a lock on the project's folder; the kernel lets go of it when this process ends."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def stamp(purpose: str) -> str:
    locks = b"".join(lock.read_bytes() for lock in LOCKS.values())
    return f"{purpose} {hashlib.sha256(locks).hexdigest()}\n"


def is_installed(purpose: str) -> bool:
    """Tell whether .venv is as the locks want it; what tests need includes what a run needs."""
    if not os.access(PYTHON, os.X_OK) or not STAMP.exists():
        return False
    return STAMP.read_text() in {stamp(purpose), stamp("test")}


def make_venv() -> None:
    # pip is the last thing that venv puts there.
    if not (os.access(PYTHON, os.X_OK) and (VENV / "bin" / "pip").exists()):
        venv.create(VENV, clear=True, symlinks=True, with_pip=True)


def sync(lock: Path) -> None:
    print(f"setup: installing {lock.name} into .venv", file=sys.stderr)
    if not sync_with_uv(lock):
        print("setup: without uv; pip takes about half a minute", file=sys.stderr)
        pip_install(lock).check_returncode()


def sync_with_uv(lock: Path) -> bool:
    uv = shutil.which("uv") or VENV / "bin" / "uv"
    if not os.access(uv, os.X_OK) and pip_install(UV_LOCK).returncode:
        return False
    pip = pip_settings()
    # As pip does, believe the machine's own certificates.
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")
    if "cert" in pip:
        os.environ.setdefault("SSL_CERT_FILE", pip["cert"][0])
    # The hashes decide what is taken, so it may come from any of the indexes.
    safe = ["--require-hashes", "--index-strategy", "unsafe-best-match"]
    sync = [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--python", PYTHON]
    return run(*sync, *safe, *uv_options(pip), lock).returncode == 0


def pip_install(lock: Path) -> "subprocess.CompletedProcess[str]":
    quietly = ["--quiet", "--disable-pip-version-check"]
    return run(PYTHON, "-m", "pip", "install", *quietly, "--require-hashes", "-r", lock)


def pip_settings() -> dict[str, list[str]]:
    """Read pip's settings on this machine: uv doesn't read them itself."""
    listing = run(PYTHON, "-m", "pip", "config", "list", stdout=subprocess.PIPE).stdout
    entries = [line.partition("=") for line in listing.splitlines()]
    found = {name: ast.literal_eval(value).split() for name, _, value in entries}
    # Later ones win, in pip's own order.
    return {
        name.removeprefix(f"{scope}."): values
        for scope in ("global", "install", ":env:")
        for name, values in found.items()
        if name.startswith(f"{scope}.")
    }


def uv_options(pip: dict[str, list[str]]) -> list[str]:
    """Translate where pip finds packages into uv's options."""
    options = [
        option
        for setting, flag in UV_OPTIONS.items()
        for value in pip.get(setting, [])
        for option in (flag, value)
    ]
    offline = pip.get("no-index", ["false"])[0].lower() in {"1", "true", "yes", "on"}
    return [*options, "--no-index"] if offline else options


def run(*command: str | Path, stdout: int | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, stdout=stdout, text=True, check=False)  # noqa: S603 (our own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
