"""What is reached through a port of a sandbox. The one service that waits for the provider."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandboxes import dataplane, errors, events, gateway, starters
from sandboxes.models import Action, Sandbox
from sandboxes.services.rows import refresh_sandbox, require_ready, use, watch

# How long a preview that was opened stays open. The cookie that the preview's host makes of the
# token ends with it, so a page must be able to be reloaded for longer than a minute.
PREVIEW_LIFETIME = timedelta(hours=1)


def open_port(*, sandbox: Sandbox, port: int, actor: Any) -> str:
    """Wake the sandbox, check that the port answers, and return a link to its private preview.

    The link carries a token: it goes into a redirect, and nowhere else.

    Raises SandboxBusy, SandboxGone, PortClosed, or a ProviderError.
    """
    require_ready(sandbox)
    watch(sandbox)
    if not dataplane.port_answers(sandbox.url, port):
        refresh_sandbox(sandbox=sandbox)  # the starter's server may only need to be started again
        raise errors.PortClosed(_why_closed(sandbox, port))
    address, token = gateway.mint_preview_token(sandbox.name, port, PREVIEW_LIFETIME)
    use(sandbox)
    events.record(sandbox, Action.OPENED_PORT, actor=actor, detail=str(port))
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query=urlencode({"bl_preview_token": token})))


def _why_closed(sandbox: Sandbox, port: int) -> str:
    if port == starters.current().port and sandbox.starter_written_at:
        return (
            f"Nothing answers on port {port} yet. Manta is looking after the starter's server; "
            "try again in a few seconds."
        )
    return (
        f"Nothing listens on port {port}. Start a server on it inside the sandbox, "
        "on 0.0.0.0 and not only on 127.0.0.1, and try again."
    )
