"""``/filesystem-copy``: one request that places a copy as ``cp -r`` does."""

from __future__ import annotations

import asyncio
import errno
import os
import posixpath
import shutil
import stat
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import paths
from .files import explain, refusal
from .sandbox import Sandbox
from .wire import ApiError, Json, read_json
from .writing import CHUNK, IRREGULAR, written

EXISTS = "FILE_ALREADY_EXISTS"


class CopyApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        return [Route("/filesystem-copy", self.copy, methods=["POST"])]

    async def copy(self, request: Request) -> Response:
        body = await read_json(request)
        source, destination = body.path("source"), body.path("destination")
        if not source or not destination:
            raise ApiError(400, "source and destination are required")
        origin = paths.absolute(source, self._sandbox)
        target = paths.absolute(destination, self._sandbox)
        await asyncio.to_thread(copy, origin, target, exclusive=body.flag("noOverwrite"))
        done = {"source": source, "destination": destination, "message": "Files copied"}
        return Json(done)


def copy(source: str, destination: str, *, exclusive: bool) -> None:
    """Copy into an existing directory, else to that path; exclusive, each entry is made or fails.

    Raises ApiError 409 when the target exists and the copy is exclusive, else 422.
    """
    target = destination
    if os.path.isdir(destination):
        target = posixpath.join(destination, posixpath.basename(source))
    try:
        _place(source, target, exclusive)
    except FileExistsError as exc:
        raise ApiError(409, explain("copy", target, exc), EXISTS) from exc
    except shutil.SpecialFileError as exc:
        raise ApiError(422, str(exc), IRREGULAR) from exc
    except shutil.SameFileError as exc:
        raise ApiError(422, str(exc)) from exc
    except shutil.Error as exc:
        # All the others are copied. One that has vanished since it was listed is left out.
        vanished = f"[Errno {errno.ENOENT}]"
        for failed, _, reason in exc.args[0]:
            if not str(reason).startswith(vanished):
                raise ApiError(422, f"copy {failed}: {reason}") from exc
    except OSError as exc:
        raise refusal(422, "copy", source, exc) from exc


def _place(source: str, target: str, exclusive: bool) -> None:
    real_source, real_target = os.path.realpath(source), os.path.realpath(target)
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    elif not os.path.isdir(source):
        _copy_file(source, target, exclusive)
    elif f"{real_target}/".startswith(f"{real_source.rstrip('/')}/"):
        raise ApiError(422, f"cannot copy {source} into itself")
    else:
        copy_one = partial(_copy_file, exclusive=exclusive)
        shutil.copytree(
            source, target, symlinks=True, copy_function=copy_one, dirs_exist_ok=not exclusive
        )


def _copy_file(source: str, target: str, exclusive: bool) -> None:
    fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as origin:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise shutil.SpecialFileError(f"{source} is not a regular file")
        if not exclusive and os.path.exists(target) and os.path.samefile(source, target):
            raise shutil.SameFileError(f"{source} and {target} are the same file")
        # As with cp, what is overwritten keeps its permissions.
        mode = None if os.path.exists(target) else info.st_mode & 0o777
        with written(target, mode, exclusive=exclusive) as copied:
            shutil.copyfileobj(origin, copied, CHUNK)
