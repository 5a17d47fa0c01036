"""Mistakes in the set-up, found at start."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register

from sandboxes.starters import projects

_LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]"}


@register()
def provider(**kwargs: Any) -> list[CheckMessage]:
    pair = {
        "BLAXEL_WORKSPACE_ID": settings.BLAXEL_WORKSPACE_ID,
        "BLAXEL_API_KEY": settings.BLAXEL_API_KEY,
    }
    missing = [name for name, value in pair.items() if not value]
    if len(missing) == 1:
        return [
            Error(
                f"{missing[0]} is not set, but the other of the two Blaxel variables is.",
                hint="Set both to use Blaxel, or neither to use local sandboxes (`make run`).",
                id="sandboxes.E001",
            )
        ]
    on_loopback = urlsplit(settings.BLAXEL_API_URL).hostname in _LOOPBACK
    if on_loopback and not (settings.MANTA_LOCAL or settings.DEBUG):
        return [
            Error(
                "BLAXEL_API_URL points to this machine, which is for trusted local use only.",
                hint="Set MANTA_LOCAL=1 if this is intended.",
                id="sandboxes.E002",
            )
        ]
    if missing:
        return [
            Warning(
                "No sandbox provider is configured, so no sandboxes can be created.",
                hint="Use `make run`, or set BLAXEL_WORKSPACE_ID and BLAXEL_API_KEY.",
                id="sandboxes.W001",
            )
        ]
    return []


@register()
def starter(**kwargs: Any) -> list[CheckMessage]:
    if settings.SANDBOX_STARTER in projects.names():
        return []
    return [
        Error(
            f"SANDBOX_STARTER is {settings.SANDBOX_STARTER!r}, which is not the name of a starter.",
            hint=f"Use one of: {', '.join(projects.names())}.",
            id="sandboxes.E003",
        )
    ]


@register()
def shared_database(**kwargs: Any) -> list[CheckMessage]:
    if settings.WORKER_CONCURRENCY <= 1 or settings.DATABASES["default"]["ENGINE"].endswith(
        "postgresql"
    ):
        return []
    return [
        Error(
            "WORKER_CONCURRENCY is more than 1, but SQLite supports only one worker.",
            hint="Set DATABASE_URL=postgres://user:password@host/name.",
            id="sandboxes.E005",
        )
    ]


@register(Tags.security, deploy=True)
def names_and_proxies(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    # None at all is complained of by Django itself.
    if settings.ALLOWED_HOSTS and _LOOPBACK.issuperset(settings.ALLOWED_HOSTS):
        found.append(
            Error(
                "ALLOWED_HOSTS contains only this machine.",
                hint="Set it to the host name that people use, such as manta.example.com.",
                id="sandboxes.E006",
            )
        )
    if settings.SECURE_SSL_REDIRECT and not settings.TRUSTED_PROXY_COUNT:
        found.append(
            Warning(
                "TRUSTED_PROXY_COUNT is 0: behind a proxy no request would count as https.",
                hint="Set it to the number of proxies in front of Manta, usually 1.",
                id="sandboxes.W002",
            )
        )
    return found


@register(deploy=True)
def mail(**kwargs: Any) -> list[CheckMessage]:
    if settings.EMAIL_HOST:
        return []
    return [
        Info(
            "EMAIL_HOST is not set: e-mails, such as address confirmations, go to the log.",
            hint="Set it to an SMTP server.",
            id="sandboxes.I001",
        )
    ]
