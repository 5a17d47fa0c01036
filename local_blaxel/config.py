"""Configuration from the environment. The only module of local_blaxel that reads it."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_WORKSPACE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class ConfigError(Exception):
    """A variable whose value can't be used; the message names it."""


@dataclass(frozen=True)
class Config:
    port: int
    workspace: str
    api_key: str
    state_dir: Path
    standby_after: float
    # A connection on which nothing passes for this long keeps nothing awake.
    silence: float
    isolation: str | None
    egress_allow: str | None
    disk_reserve_mb: int

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read LOCAL_BLAXEL_*; makes the state directory, and the API key at first start."""
        port = _port(environ.get("LOCAL_BLAXEL_PORT") or "8001")
        workspace = _workspace(environ.get("LOCAL_BLAXEL_WORKSPACE") or "manta")
        standby_after = _seconds(environ, "LOCAL_BLAXEL_STANDBY_AFTER", "1")
        silence = _seconds(environ, "LOCAL_BLAXEL_IDLE_SOCKET_AFTER", "900")
        isolation = _isolation(environ.get("LOCAL_BLAXEL_ISOLATION") or None)
        state_dir = _state_dir(environ.get("LOCAL_BLAXEL_STATE_DIR") or ".manta/local_blaxel")
        api_key = _api_key(environ.get("LOCAL_BLAXEL_API_KEY"), state_dir / "api-key")
        egress_allow = environ.get("LOCAL_BLAXEL_EGRESS_ALLOW")
        idle = standby_after, silence
        reserve = _megabytes(environ.get("LOCAL_BLAXEL_DISK_RESERVE") or "1024")
        return cls(port, workspace, api_key, state_dir, *idle, isolation, egress_allow, reserve)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise ConfigError(f"LOCAL_BLAXEL_PORT must be a number from 0 to 65535, not {text!r}")
    return int(text)


def _workspace(text: str) -> str:
    if not _WORKSPACE.fullmatch(text) or len(text) > 40:
        raise ConfigError(
            "LOCAL_BLAXEL_WORKSPACE must be at most 40 lower-case letters, digits and"
            f" single hyphens, not {text!r}"
        )
    return text


def _seconds(environ: Mapping[str, str], name: str, default: str) -> float:
    text = environ.get(name) or default
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 86_400:
        raise ConfigError(f"{name} must be seconds from 0.01 to 86400, not {text!r}")
    return seconds


def _megabytes(text: str) -> int:
    if not text.isdecimal() or len(text) > 12:
        raise ConfigError(f"LOCAL_BLAXEL_DISK_RESERVE must be a number of MiB, not {text!r}")
    return int(text)


def _isolation(text: str | None) -> str | None:
    if text not in (None, "bubblewrap", "none"):
        raise ConfigError(f"LOCAL_BLAXEL_ISOLATION must be bubblewrap or none, not {text!r}")
    return text


def _state_dir(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    except OSError as exc:
        raise ConfigError(f"LOCAL_BLAXEL_STATE_DIR {text!r} can't be used: {exc.strerror}") from exc
    return path


def _api_key(text: str | None, path: Path) -> str:
    """The key given, or the one kept; either way the file holds it afterwards."""
    if not text and path.exists():
        return path.read_text().strip()
    key = text or secrets.token_urlsafe(32)
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError("LOCAL_BLAXEL_API_KEY must be visible ASCII characters without a space")
    # Written whole beside it first: a killed start must not leave an empty key.
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(key + "\n")
    draft.replace(path)
    return key
