"""The files every sandbox shares, read-only: the agent, its libraries, pip, programs, a small /etc.

They are copied into the state directory once for each version of them: a sandbox that outlives an
upgrade of the server keeps the ones it was started with.
"""

from __future__ import annotations

import compileall
import hashlib
import importlib.util
import os
import shutil
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import disks, layers, programs
from .model import LaunchError

PREFIX = "runtime-"
# Raised whenever `_build` lays it out differently.
LAYOUT = 5
LIBRARIES = [
    *("anyio", "click", "h11", "httptools", "idna"),
    *("python_multipart", "starlette", "typing_extensions", "uvicorn", "websockets"),
]
AGENT = Path(__file__).resolve().parents[1] / "agent"
# The sandbox's user, as seen from inside.
UID = 1000

ETC = {
    "passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\n"
    f"blaxel:x:{UID}:{UID}:blaxel:/blaxel:/bin/bash\n"
    f"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\nblaxel:x:{UID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost ip6-localhost\n",
    "hostname": "sandbox\n",
    "resolv.conf": "# There is no direct way out of this sandbox.\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "shells": "/bin/sh\n/bin/bash\n",
}
# What says which libraries a program loads stays as it is, also where /etc can be written.
FIXED_ETC = {"nsswitch.conf": ETC["nsswitch.conf"], "ld.so.preload": ""}


def prepare(state_dir: Path, hidden: list[str], *, needs_folders: bool) -> Path:
    """The runtime of this version of the code, built when it is not there yet.

    It keeps what is `hidden` of this machine's /usr from being seen in a sandbox, and has a folder
    for each that is there if it needs folders.
    """
    sources = dict(_sources())
    runtime = state_dir / f"{PREFIX}{_digest(sources, hidden, needs_folders)}"
    if not runtime.exists():
        building = state_dir / f"{runtime.name}.building"
        shutil.rmtree(building, ignore_errors=True)
        umask = os.umask(0o022)
        try:
            _build(building, sources, hidden, needs_folders)
        finally:
            os.umask(umask)
        building.rename(runtime)
    return runtime


def remove_others(state_dir: Path, current: Path) -> None:
    """Remove other runtimes, only while no sandbox runs: each needs the one it started with."""
    for runtime in state_dir.glob(f"{PREFIX}*"):
        if runtime != current:
            shutil.rmtree(runtime, ignore_errors=True)


def _sources() -> Iterator[tuple[str, Path]]:
    yield "local_blaxel/agent", AGENT
    yield "local_blaxel/__init__.py", AGENT.parent / "__init__.py"
    for name in LIBRARIES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise LaunchError(f"the Python package {name} is missing: install the requirements")
        origin = Path(spec.origin)
        source = origin.parent if spec.submodule_search_locations else origin
        yield source.name, source


def _digest(sources: dict[str, Path], hidden: list[str], needs_folders: bool) -> str:
    digest = hashlib.sha256(f"{LAYOUT} {needs_folders} {sys.version} {sys.base_prefix}".encode())
    etc = (Path("/etc", name) for name in layers.host_etc())
    files = _files([*sources.values(), *etc, *programs.sources()])
    for file in sorted(files):
        stat = file.stat() if file.exists() else file.lstat()
        digest.update(f"{file} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    for path in hidden:
        digest.update(os.fsencode(path) + b"\n")
    return digest.hexdigest()[:12]


def _files(sources: Iterable[Path]) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            for folder, names, files in os.walk(source):
                names[:] = [name for name in names if name != "__pycache__"]
                yield from (Path(folder, file) for file in files)
        else:
            yield source


def _build(runtime: Path, sources: dict[str, Path], hidden: list[str], needs_folders: bool) -> None:
    library = runtime / "lib"
    for name, source in sources.items():
        target = library / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=_unreadable_bytecode)
        else:
            shutil.copy2(source, target)
    compileall.compile_dir(library, quiet=2)
    for mounted in ("python", "usr", *(f"files/{name}" for name in disks.LAYERS)):
        (runtime / mounted).mkdir(parents=True)
    _add_pip(runtime / "pip")
    etc = runtime / "etc"
    etc.mkdir()
    for name, text in (ETC | FIXED_ETC).items():
        (etc / name).write_text(text)
    programs.build(runtime)
    layers.build(runtime, ETC, hidden, needs_folders=needs_folders)
    for copied in (library, runtime / "pip"):
        _make_readable(copied)


def _unreadable_bytecode(folder: str, names: list[str]) -> set[str]:
    """Return the bytecode that is not readable here; the rest saves compiling it again."""
    compiled = (name for name in names if name.endswith(("__pycache__", ".pyc")))
    return {name for name in compiled if not os.access(Path(folder, name), os.R_OK)}


def _add_pip(target: Path) -> None:
    """pip as this interpreter has it, installed or bundled for ensurepip."""
    target.mkdir()
    installed = importlib.util.find_spec("pip")
    if installed is not None and installed.origin is not None:
        pip = Path(installed.origin).parent
        shutil.copytree(pip, target / "pip", ignore=_unreadable_bytecode)
        return
    ensurepip = importlib.util.find_spec("ensurepip")
    bundled = [Path("/usr/share/python-wheels")]
    if ensurepip is not None and ensurepip.origin is not None:
        bundled.insert(0, Path(ensurepip.origin).parent / "_bundled")
    for wheel in (wheel for folder in bundled for wheel in folder.glob("pip-*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
        return


def _make_readable(root: Path) -> None:
    """Make all files readable, as the umask at their installation may have been stricter."""
    for folder, _, files in os.walk(root):
        os.chmod(folder, 0o755)  # noqa: S103
        for file in files:
            path = Path(folder, file)
            path.chmod(path.stat().st_mode | 0o444)
