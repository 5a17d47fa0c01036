"""The address that a request came from, for the record of who did what."""

from allauth.account.adapter import get_adapter
from django.core.exceptions import ImproperlyConfigured, PermissionDenied

from manta.core.request_context import current_peer


def current_client_ip() -> str | None:
    """Return the address as allauth's rate limits see it, which know how many proxies are trusted.

    None in a worker's job, where no address is known, and behind fewer proxies than are set.
    """
    peer = current_peer()
    if peer is None:
        return None
    try:
        return str(get_adapter().get_client_ip(peer))
    except (PermissionDenied, ImproperlyConfigured):
        return None
