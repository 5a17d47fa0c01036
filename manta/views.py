"""Pages that belong to no app."""

import logging

from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from sandboxes import tasks
from sandboxes.models import Heartbeat

logger = logging.getLogger(__name__)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("sandboxes:workspace")
    return render(request, "landing.html")


@require_GET
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether each thing that Manta needs works: 200, else 503. Makes no call to Blaxel.

    The provider's entry is its last success as the worker saw it; it does not decide, because
    Manta answers from what it last knew.
    """
    checks = {"database": _database_works(), "cache": _cache_works(), "queue": tasks.is_up()}
    body: dict[str, object] = {name: "ok" if ok else "failing" for name, ok in checks.items()}
    if checks["database"]:
        provider = Heartbeat.of(Heartbeat.Subject.PROVIDER)
        body["provider"] = {
            "lastSuccess": provider.ok_at.isoformat() if provider.ok_at else None,
            "failing": provider.is_failing,
        }
    body["time"] = timezone.now().isoformat()
    return JsonResponse(body, status=200 if all(checks.values()) else 503)


def _database_works() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as exc:
        logger.warning("readyz: the database: %s", exc)
        return False
    return True


def _cache_works() -> bool:
    """Whether what one process stores, each can read: with Redis, that Redis answers."""
    return not settings.REDIS_URL or cache.is_up()  # type: ignore[attr-defined]
