"""`make run`: local_blaxel (unless the cloud is set), worker and web, together until Ctrl-C.

Ctrl-C and SIGTERM end it with status 0. When one process ends by itself the others are stopped
too, and the status is 1. Sandboxes go on: the next start finds them again.
"""

import signal

if __name__ == "__main__":
    # Before the other imports: Ctrl-C among them would show a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import asyncio
import errno
import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured

from manta.core import env
from scripts.child import Child, StartError, http_get, say
from scripts.processes import (
    ROOT,
    UVICORN,
    WORKER,
    bound,
    prepare,
    state_of_its_own,
    until_at_work,
    until_stopped,
)

LOOPBACK = "localhost,.localhost,127.0.0.1,::1"
# All that local_blaxel is given of the environment, beside LOCAL_BLAXEL_*: no secret of Manta's.
LOCAL_BLAXEL_MAY_SEE = (
    *("PATH", "HOME", "USER", "LANG", "LC_", "TZ", "TERM", "TMPDIR", "PYTHON"),
    *("PIP_", "NPM_CONFIG_", "npm_config_", "SSL_CERT_", "LOCAL_BLAXEL_"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)


@dataclass(frozen=True)
class Plan:
    port: int
    # None: the cloud is used.
    local_port: int | None
    web: int
    state_dir: Path

    @classmethod
    def read(cls) -> "Plan":
        cloud = env.text("BLAXEL_WORKSPACE_ID") or env.secret("BLAXEL_API_KEY")
        return cls(
            port=env.number("PORT", 8000, minimum=1),
            local_port=None if cloud else env.number("LOCAL_BLAXEL_PORT", 8001, minimum=1),
            web=env.number("WEB_CONCURRENCY", 1, minimum=1),
            state_dir=Path(env.text("MANTA_STATE_DIR") or ROOT / ".manta").resolve(),
        )


def main() -> int:
    try:
        env.load_dotenv(ROOT / ".env")
        plan = Plan.read()
        with state_of_its_own(plan.state_dir):
            require_free_port("PORT", plan.port)
            if plan.local_port:
                require_free_port("LOCAL_BLAXEL_PORT", plan.local_port)
            with bound("127.0.0.1", plan.port) as address:
                asyncio.run(supervise(plan, address))
    except (StartError, ImproperlyConfigured) as exc:
        say(f"manta: {exc}")
        return 1
    return 0


def require_free_port(variable: str, port: int) -> None:
    if port > 65535:
        raise StartError(f"{variable} must be a port, not {port}.")
    # Both families: a browser tries ::1 first for localhost, and would find the other's page.
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as exc:
            if family == socket.AF_INET6 and exc.errno != errno.EADDRINUSE:
                continue  # this machine has no IPv6
            reason = "is in use" if exc.errno == errno.EADDRINUSE else f"({exc.strerror})"
            raise StartError(f"Port {port} {reason}: set {variable} to another one.") from exc


async def supervise(plan: Plan, address: socket.socket) -> None:
    """Keep everything running until asked to stop; StartError when a process ends by itself."""
    children: list[Child] = []
    await until_stopped(start_and_watch(plan, address, children), lambda: stop(children))


async def start_and_watch(plan: Plan, address: socket.socket, children: list[Child]) -> NoReturn:
    await start(plan, address, children)
    await asyncio.wait({child.ended for child in children}, return_when=asyncio.FIRST_COMPLETED)
    raise StartError(next(child for child in children if child.ended.done()).epitaph())


async def start(plan: Plan, address: socket.socket, children: list[Child]) -> None:
    environ = manta_environ(plan)
    sandboxes = "on Blaxel"
    if plan.local_port:
        sandboxes, provider = await start_local_blaxel(plan.local_port, plan.state_dir, children)
        environ |= provider
    first_admin = await prepare("run", environ)
    try:
        await start_manta(plan, address, environ, children)
    except BaseException:
        # Shown once, so not lost with a start that broke off.
        if first_admin:
            say(f"manta: the first admin has been made: {first_admin}")
        raise
    say(welcome(plan, sandboxes, first_admin))


def manta_environ(plan: Plan) -> dict[str, str]:
    """Return the variables for web and worker: production mode, and nothing of LOCAL_BLAXEL_*."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("LOCAL_BLAXEL_")}
    if not inherited.get("SECRET_KEY"):
        inherited.setdefault("SECRET_KEY_FILE", str(own_secret_key(plan.state_dir)))
    # Some tools give DEBUG a meaning of their own, so it is set and not only left out.
    mode = {"DEBUG": "false", "MANTA_LOCAL": "true", "DO_NOT_TRACK": "1"}
    return {**inherited, **mode, "MANTA_STATE_DIR": str(plan.state_dir)}


def own_secret_key(state_dir: Path) -> Path:
    """Return the file of this installation's SECRET_KEY, made at the first start."""
    path = state_dir / "secret-key"
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        draft.replace(path)
    return path


async def start_local_blaxel(
    port: int, state_dir: Path, children: list[Child]
) -> tuple[str, dict[str, str]]:
    """Start it; return how it isolates sandboxes, and what tells Manta to use it."""
    environ = local_blaxel_environ(port, state_dir)
    command = (sys.executable, "-m", "local_blaxel")
    child = await Child.start("local_blaxel", *command, environ=environ)
    children.append(child)
    health = json.loads(await child.until(lambda: http_get(port, "/health")))
    return f"local, {health['description']}", provider_environ(environ)


def local_blaxel_environ(port: int, state_dir: Path) -> dict[str, str]:
    """Return the variables for local_blaxel."""
    seen = {k: v for k, v in os.environ.items() if k.startswith(LOCAL_BLAXEL_MAY_SEE)}
    own_state = seen.get("LOCAL_BLAXEL_STATE_DIR") or str(state_dir / "local_blaxel")
    return {
        **seen,
        "LOCAL_BLAXEL_PORT": str(port),
        "LOCAL_BLAXEL_STATE_DIR": own_state,
        "LOCAL_BLAXEL_WORKSPACE": seen.get("LOCAL_BLAXEL_WORKSPACE") or "manta",
    }


def provider_environ(local_blaxel: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make Manta use the local_blaxel that has these variables."""
    key = local_blaxel.get("LOCAL_BLAXEL_API_KEY")
    if not key:
        key = Path(local_blaxel["LOCAL_BLAXEL_STATE_DIR"], "api-key").read_text().strip()
    port = local_blaxel["LOCAL_BLAXEL_PORT"]
    origin = f"http://127.0.0.1:{port}"
    return {
        "BLAXEL_API_URL": f"{origin}/v0",
        "BLAXEL_WORKSPACE_ID": local_blaxel["LOCAL_BLAXEL_WORKSPACE"],
        "BLAXEL_API_KEY": key,
        "MANTA_PREVIEW_ORIGINS": f"{origin},http://*.localhost:{port}",
        "MANTA_FRAME_PREVIEWS": "true",
        **no_proxy_for_loopback(),
    }


def no_proxy_for_loopback() -> dict[str, str]:
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    value = f"{listed},{LOOPBACK}" if listed else LOOPBACK
    return {"no_proxy": value, "NO_PROXY": value}


async def start_manta(
    plan: Plan, address: socket.socket, environ: dict[str, str], children: list[Child]
) -> None:
    """Start worker and web at once, and wait until all are at work."""
    worker = await Child.start("worker", *WORKER, environ=environ)
    children.append(worker)
    # All web processes accept from one socket.
    fd = address.fileno()
    for _ in range(plan.web):
        command = (*UVICORN, "--fd", str(fd))
        children.append(await Child.start("web", *command, environ=environ, pass_fds=[fd]))
    webs = children[-plan.web :]
    answers = (web.until(lambda: http_get(plan.port, "/healthz")) for web in webs)
    await asyncio.gather(until_at_work(worker), *answers)


def welcome(plan: Plan, sandboxes: str, first_admin: str) -> str:
    lines = [
        f"Manta is running at  http://localhost:{plan.port}",
        f"Sandboxes            {sandboxes}",
        f"State                {plan.state_dir}",
    ]
    if first_admin:
        lines += [f"Admin                {first_admin}", " " * 21 + "(shown only this once)"]
    lines += ["Stop                 Ctrl-C; sandboxes go on"]
    return "\n".join(["", *(f"  {line}" for line in lines), ""])


async def stop(children: list[Child]) -> None:
    """Stop web first, so that no request needs what has gone; all are gone within 3 s."""
    now = asyncio.get_running_loop().time
    asked = now()
    # What isn't done by then is killed: no process loses anything by that.
    for name, until in (("web", 0.8), ("worker", 1.8), ("local_blaxel", 2.7)):
        of_kind = [child for child in children if child.name.startswith(name)]
        await asyncio.gather(*(child.stop(asked + until - now()) for child in of_kind))


if __name__ == "__main__":
    sys.exit(main())
