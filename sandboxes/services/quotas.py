"""Limits that an admin sets, held to wherever a sandbox is let in to be made."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Min, Q, QuerySet, Sum
from django.utils import timezone

from sandboxes import errors
from sandboxes.models import Creation, Installation, Phase, Quota, Sandbox

WINDOW = timedelta(hours=1)
# What a row that was not let in carries as its error.
CODES = ("quota_sandboxes", "quota_memory", "quota_creations")


def admit(sandbox: Sandbox) -> None:
    """Let the row's sandbox be made, and count it.

    Call it in a transaction: until that ends, no other sandbox is counted. Raises QuotaReached.
    """
    quotas = _quotas_of(sandbox)
    if quotas:
        Installation.lock()
    for quota in quotas:
        for check in _CHECKS:
            check(quota, sandbox)
    Creation.objects.create(owner=sandbox.owner)


def was_refused(sandbox: Sandbox) -> bool:
    """Return whether a quota refused the row: it has no sandbox, and counts in none."""
    return sandbox.phase == Phase.FAILED and sandbox.error_code in CODES


def forget_creations() -> None:
    """Delete what is too old to count."""
    Creation.objects.filter(created_at__lte=timezone.now() - WINDOW).delete()


def _quotas_of(sandbox: Sandbox) -> list[Quota]:
    """Return the user's quota, else the one for each user, and the installation's."""
    found = {
        quota.scope: quota for quota in Quota.objects.filter(Q(user=None) | Q(user=sandbox.owner))
    }
    own = found.get(Quota.Scope.USER) or found.get(Quota.Scope.EACH)
    return [quota for quota in (own, found.get(Quota.Scope.ALL)) if quota]


def _others(quota: Quota, sandbox: Sandbox) -> QuerySet[Sandbox]:
    """Return the other sandboxes that count: those admitted and not gone, made or not."""
    rows: QuerySet[Sandbox] = Sandbox.objects.exclude(pk=sandbox.pk).exclude(phase=Phase.GONE)
    if quota.scope != Quota.Scope.ALL:
        rows = rows.filter(owner=sandbox.owner)
    return rows.exclude(phase=Phase.FAILED, error_code__in=CODES)


def _check_sandboxes(quota: Quota, sandbox: Sandbox) -> None:
    limit = quota.sandboxes
    if limit is None or (others := _others(quota, sandbox)).count() < limit:
        return
    raise errors.QuotaReached(
        f"{_whose_limit(quota)} allows {limit or 'no'} {'sandbox' if limit == 1 else 'sandboxes'}"
        f"{', and all exist already' if limit else ''}. {_until_one_expires(others)}",
        code="quota_sandboxes",
        frees_at=_first_expiry(others),
    )


def _check_memory(quota: Quota, sandbox: Sandbox) -> None:
    if quota.memory_mb is None:
        return
    others = _others(quota, sandbox)
    used = others.aggregate(sum=Sum("memory_mb"))["sum"] or 0
    if used + sandbox.memory_mb <= quota.memory_mb:
        return
    raise errors.QuotaReached(
        f"{_whose_limit(quota)} allows {quota.memory_mb} MB of memory: {used} MB are in use, and "
        f"this sandbox needs {sandbox.memory_mb} MB. {_until_one_expires(others)}",
        code="quota_memory",
        frees_at=_first_expiry(others),
    )


def _check_creations(quota: Quota, sandbox: Sandbox) -> None:
    limit = quota.creations_per_hour
    recent = Creation.objects.filter(created_at__gt=timezone.now() - WINDOW)
    if quota.scope != Quota.Scope.ALL:
        recent = recent.filter(owner=sandbox.owner)
    if limit is None or recent.count() < limit:
        return
    # The oldest of the last ones that fill the limit makes room first.
    last = list(recent.order_by("-created_at").values_list("created_at", flat=True)[:limit])
    frees_at = last[-1] + WINDOW if last else None
    remedy = f"The next one can be created at {_clock(frees_at)}." if frees_at else _ASK
    raise errors.QuotaReached(
        f"{_whose_limit(quota)} allows {limit or 'no'} new sandboxes an hour"
        f"{', and as many were created' if limit else ''}. {remedy}",
        code="quota_creations",
        frees_at=frees_at,
    )


_CHECKS: tuple[Callable[[Quota, Sandbox], None], ...] = (
    _check_sandboxes,
    _check_memory,
    _check_creations,
)
_ASK = "Ask your administrator to raise it."


def _whose_limit(quota: Quota) -> str:
    return "This installation" if quota.scope == Quota.Scope.ALL else "Your limit"


def _first_expiry(others: QuerySet[Sandbox]) -> datetime | None:
    soonest = others.filter(expires_at__gt=timezone.now()).aggregate(at=Min("expires_at"))["at"]
    return soonest if isinstance(soonest, datetime) else None


def _until_one_expires(others: QuerySet[Sandbox]) -> str:
    frees_at = _first_expiry(others)
    if frees_at is None:
        return _ASK
    return f"One expires at {_clock(frees_at)}, unless it is used; or ask your administrator."


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC on {moment:%-d %B}"
