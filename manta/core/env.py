"""Strict readers for environment variables: a typo stops the start and names the variable."""

import os
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def flag(name: str, *, default: bool = False) -> bool:
    """Read a yes/no variable; anything that is neither is refused."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.strip().lower() in _TRUE:
        return True
    if value.strip().lower() in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def number(name: str, default: int, *, minimum: int = 0) -> int:
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.isdecimal() or int(value) < minimum:
        raise ImproperlyConfigured(f"{name} must be a number of at least {minimum}, not {value!r}.")
    return int(value)


def items(name: str, default: str = "") -> list[str]:
    """Read a comma-separated list."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def secret(name: str, default: str = "") -> str:
    """Read a secret from NAME, or from the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return text(name, default)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {exc.strerror}.") from exc


def load_dotenv(path: Path) -> None:
    """Set the variables of a .env file that the environment does not set already.

    Lines are NAME=value; quotes around the value and a leading "export" are dropped.
    """
    if not path.is_file():
        return
    for number_, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not separator or not name.strip().isidentifier():
            raise ImproperlyConfigured(f"{path.name}, line {number_}: expected NAME=value.")
        os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default).lower()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def duration(name: str, default: str) -> timedelta:
    """Read a time span as Blaxel writes it: a number and one of s, m, h, d, w."""
    value = text(name, default)
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    if not value[:-1].isdecimal() or value[-1:] not in units:
        raise ImproperlyConfigured(f"{name} must be a time such as 30m, 24h or 7d, not {value!r}.")
    return timedelta(seconds=int(value[:-1]) * units[value[-1]])


def ports(name: str, default: str) -> list[dict[str, str | int]]:
    """Read a comma-separated list of HTTP ports, in the shape that the Blaxel API takes."""
    found: list[dict[str, str | int]] = []
    for item in items(name, default):
        if not item.isdecimal() or not 1 <= int(item) <= 65535 or int(item) in (80, 443, 8080):
            raise ImproperlyConfigured(
                f"{name}: {item!r} is not a port from 1 to 65535 (80, 443 and 8080 are reserved)."
            )
        found.append({"target": int(item), "protocol": "HTTP"})
    return found
