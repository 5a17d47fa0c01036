"""/metrics, beside Django: without https, and on none of Django's few threads.

For an allowed Host or an address only: a page of another site that has its own name point to this
machine would otherwise read it in a browser that runs here.
"""

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.db import connection
from django.http.request import split_domain_port, validate_host
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from accounts import tokens
from operations import prometheus

# A request that came through a proxy was not made on this machine.
_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


async def metrics(request: Request) -> Response:
    if not is_allowed(request):
        return PlainTextResponse("Not Found", 404)
    text = await run_in_threadpool(_render)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def is_allowed(request: Request) -> bool:
    """Return whether the request has METRICS_TOKEN or, if none is set, is local and not proxied."""
    if not _is_allowed_host(request.headers.get("Host", "")):
        return False
    if settings.METRICS_TOKEN:
        sent = tokens.bearer(request.headers.get("Authorization", "")) or ""
        return hmac.compare_digest(sent.encode(), settings.METRICS_TOKEN.encode())
    proxied = settings.TRUSTED_PROXY_COUNT or any(name in request.headers for name in _OF_PROXIES)
    return bool(request.client and not proxied and _is_loopback(request.client.host))


def _is_allowed_host(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return _is_address(domain) or validate_host(domain, [*settings.ALLOWED_HOSTS, "localhost"])


def _is_address(domain: str) -> bool:
    try:
        ip_address(domain.strip("[]"))
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _render() -> bytes:
    try:
        return prometheus.render()
    finally:
        connection.close()
