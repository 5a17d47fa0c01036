"""Ports of a sandbox: list what listens, open a port, make it public.

The row of a public port comes first and goes last. A process that is killed in between, or a
provider that fails, leaves a row whose time is over, and the worker makes the port private.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from sandboxes import audit, control_plane, data_plane, errors
from sandboxes.data_plane.bind_hints import how_to_listen_everywhere
from sandboxes.data_plane.preview_url import with_path, with_token
from sandboxes.data_plane.process_snapshot import Listening
from sandboxes.models import Action, PublicPort, Sandbox
from sandboxes.models.status import Status
from sandboxes.services.row_updates import keep_fresh, refresh_sandbox, require_ready, touch
from sandboxes.services.sessions import ensure_session
from sandboxes.starters import projects

# How long a preview that was opened stays open. The cookie that the preview's host makes of the
# token ends with it, so a page must be able to be reloaded for longer than a minute.
PREVIEW_LIFETIME = timedelta(hours=1)
# The sandbox's own: its API, and what the provider's gateway takes for itself.
RESERVED_PORTS = frozenset({80, 443, 8080})
# The provider deletes a preview at its date, with the private access to it. So Manta makes it
# private a little sooner; the provider's date is for when no worker runs.
SOONER = timedelta(seconds=5)


class Reason(StrEnum):
    """The reason for a port that does not answer."""

    NOTHING_LISTENS = "nothing_listens"
    LOOPBACK_ONLY = "loopback_only"
    ASLEEP = "asleep"


@dataclass(frozen=True)
class Port:
    """A port as people see it: what listens on it, who may open it, and why it doesn't answer."""

    number: int
    listening: Listening | None
    public: PublicPort | None
    is_starters: bool
    reason: Reason | None

    @property
    def advice(self) -> str:
        """Return what to do about the reason."""
        match self.reason:
            case Reason.ASLEEP:
                return "Your sandbox is asleep. Opening the port wakes it."
            case Reason.LOOPBACK_ONLY if self.listening:
                return how_to_listen_everywhere(self.listening)
            case Reason.NOTHING_LISTENS if self.is_starters:
                return "The starter's server is not running. Manta starts it again automatically."
            case Reason.NOTHING_LISTENS:
                return f"Nothing is listening. Start a server on port {self.number}, on 0.0.0.0."
        return ""


def list_ports(*, sandbox: Sandbox, wake: bool) -> list[Port]:
    """Listening, public and the starter's ports. Waking the sandbox, it says what listens now.

    Without waking, what is known without it. Raises SandboxGone, BeingDeleted, SandboxBusy, or a
    ProviderError.
    """
    require_ready(sandbox)
    if not wake:
        return _ports(sandbox, None)
    ensure_session(sandbox)
    touch(sandbox)
    return _ports(sandbox, data_plane.listening.list_listening(sandbox.reach))


def open_port(*, sandbox: Sandbox, port: int, actor: Any, path: str = "/") -> str:
    """Wake the sandbox, check that the port answers, and return a link to its private preview.

    The link carries a token: it goes into a redirect, and nowhere else.

    Raises PortReserved, SandboxBusy, SandboxGone, PortClosed, or a ProviderError.
    """
    require_open_to_previews(port)
    require_ready(sandbox)
    keep_fresh(sandbox)
    require_listening(sandbox, port)
    address, token = control_plane.previews.mint_preview_token(sandbox.name, port, PREVIEW_LIFETIME)
    touch(sandbox)
    audit.record(sandbox, Action.OPENED_PORT, actor=actor, detail=str(port))
    return with_token(with_path(address, path), token)


def require_open_to_previews(port: int) -> None:
    """Raises PortReserved, or PortClosed for what is no port at all."""
    if port in RESERVED_PORTS:
        raise errors.PortReserved(
            f"Port {port} is reserved for the sandbox itself. Use another port for your server, "
            "such as 3000, 5173 or 8000."
        )
    if not 1 <= port <= 65_535:
        raise errors.PortClosed("Ports are numbers from 1 to 65535.")


def require_listening(sandbox: Sandbox, port: int) -> None:
    """Raises PortClosed, or PortLoopbackOnly, with what to do about it."""
    ensure_session(sandbox)
    listening = data_plane.listening.list_listening(sandbox.reach)
    found = {each.port: each for each in listening}.get(port)
    if found is None:
        refresh_sandbox(sandbox=sandbox)  # the starter's server may only need to be started again
        raise errors.PortClosed(_why_closed(sandbox, port))
    if found.loopback_only:
        raise errors.PortLoopbackOnly(how_to_listen_everywhere(found))


def _ports(sandbox: Sandbox, listening: list[Listening] | None) -> list[Port]:
    heard = {each.port: each for each in listening or []}
    public = {row.port: row for row in PublicPort.objects.current().filter(sandbox=sandbox)}
    known = {port["target"] for port in sandbox.ports}
    starters_port = projects.current().port if sandbox.starter_written_at else None
    numbers = (heard.keys() | public.keys() | known) - RESERVED_PORTS
    return [
        Port(
            number=number,
            listening=heard.get(number),
            public=public.get(number),
            is_starters=number == starters_port,
            reason=_reason(sandbox, heard.get(number), looked=listening is not None),
        )
        for number in sorted(numbers)
    ]


def _reason(sandbox: Sandbox, found: Listening | None, *, looked: bool) -> Reason | None:
    if not looked:
        return Reason.ASLEEP if sandbox.status is Status.STANDBY else None
    if found is None:
        return Reason.NOTHING_LISTENS
    return Reason.LOOPBACK_ONLY if found.loopback_only else None


def _why_closed(sandbox: Sandbox, port: int) -> str:
    if port == projects.current().port and sandbox.starter_written_at:
        return (
            f"Nothing responds on port {port} yet. The starter's server is being started; "
            "try again in a few seconds."
        )
    return (
        f"Nothing is listening on port {port}. Start a server on it inside the sandbox, "
        "on 0.0.0.0 rather than on 127.0.0.1, and try again."
    )


def make_public(*, sandbox: Sandbox, port: int, lasts: timedelta | None, actor: Any) -> PublicPort:
    """Let all who have the port's address open it, for a while or until it is made private.

    Raises PortReserved, SandboxBusy, SandboxGone, or a ProviderError.
    """
    require_open_to_previews(port)
    require_ready(sandbox)
    until = (timezone.now() + lasts).replace(microsecond=0) if lasts else None
    fields = {"until": until, "made_by": actor, "made_at": timezone.now()}
    row, _ = PublicPort.objects.update_or_create(sandbox=sandbox, port=port, defaults=fields)
    try:
        row.url = control_plane.previews.publish_preview(sandbox.name, port, until)
    except errors.SandboxError:
        _end(row)
        raise
    detail = f"{port}, until {until:%-d %b %H:%M} UTC" if until else str(port)
    with transaction.atomic():
        row.save(update_fields=["url"])
        audit.record(sandbox, Action.MADE_PUBLIC, actor=actor, detail=detail)
    touch(sandbox)
    return row


def make_private(*, sandbox: Sandbox, port: int, actor: Any) -> None:
    """Make the port private: only its owner can open it, and what others have open ends.

    Where the provider doesn't answer, the worker goes on trying. Raises PortReserved, SandboxBusy,
    SandboxGone, or a ProviderError.
    """
    require_open_to_previews(port)
    require_ready(sandbox)
    row = PublicPort.objects.filter(sandbox=sandbox, port=port).first()
    if row is not None:
        _end(row)
    # Also without a row: it may have been made public at the provider.
    control_plane.previews.unpublish_preview(sandbox.name, port)
    if row is not None:
        forget(row, actor)


def _end(row: PublicPort) -> None:
    row.until = timezone.now()
    row.save(update_fields=["until"])


def forget(row: PublicPort, actor: Any) -> bool:
    """Delete the row and put that on record, unless it was made public anew meanwhile."""
    with transaction.atomic():
        deleted, _ = (
            PublicPort.objects.due_to_close(timezone.now() + SOONER).filter(pk=row.pk).delete()
        )
        if deleted:
            audit.record(row.sandbox, Action.MADE_PRIVATE, actor=actor, detail=str(row.port))
    return bool(deleted)


def list_previews(*, sandbox: Sandbox) -> list[control_plane.previews.Preview]:
    """List the provider's previews, and correct the rows by them. Does not wake the sandbox.

    Raises SandboxBusy, SandboxGone, or a ProviderError.
    """
    require_ready(sandbox)
    previews = control_plane.previews.list_previews(sandbox.name)
    known = set(PublicPort.objects.filter(sandbox=sandbox).values_list("port", flat=True))
    for preview in previews:
        if preview.public and preview.port not in known:  # made public at the provider
            fields = {"until": preview.expires_at, "url": preview.url}
            PublicPort.objects.get_or_create(sandbox=sandbox, port=preview.port, defaults=fields)
    return previews
