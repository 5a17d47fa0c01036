"""Steps that check the installation itself, before there is any sandbox."""

from datetime import timedelta

from django.conf import settings
from django.core import checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from operations import health
from operations.doctor.finding import NotApplicable, Step, StepFailed
from sandboxes import control_plane
from sandboxes.models import Heartbeat

# A worker gives a sign of life every five seconds.
_ALIVE = timedelta(seconds=15)


def _settings() -> str:
    errors = [message for message in checks.run_checks() if message.is_serious()]
    if errors:
        raise StepFailed(" ".join(f"{error.msg} {error.hint or ''}".strip() for error in errors))
    return "No problems found."


def _database() -> str:
    if not health.database_works():
        raise StepFailed("The database does not respond.")
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise StepFailed(f"{len(missing)} migrations have not been applied.")
    return f"{connection.display_name}, all migrations applied."


def _cache() -> str:
    if not settings.REDIS_URL:
        raise NotApplicable("No REDIS_URL: the cache is in the database.")
    if not health.cache_works():
        raise StepFailed("Redis does not respond.")
    return "Redis responds."


def _worker() -> str:
    seen = Heartbeat.of(Heartbeat.Subject.WORKER).ok_at
    if seen is None:
        raise StepFailed("No worker has ever run.")
    age = timezone.now() - seen
    if age > _ALIVE:
        raise StepFailed(f"No worker has reported for {age.total_seconds():.0f} s.")
    return f"Last report {age.total_seconds():.0f} s ago."


def _credentials() -> str:
    control_plane.sandboxes.get("doctor-asks-who-it-is")
    return f"{settings.BLAXEL_API_URL} accepts them."


def _image() -> str:
    if settings.SANDBOX_IMAGE not in control_plane.sandboxes.list_images():
        raise NotApplicable(
            f"{settings.SANDBOX_IMAGE} is not one of the hub's images. It may be one of your own: "
            "the next step finds out."
        )
    return f"{settings.SANDBOX_IMAGE} is there."


STEPS = [
    Step("settings", "The settings", _settings, "Fix the problems that `manage.py check` lists."),
    Step(
        "database",
        "The database",
        _database,
        "Make sure that it runs and that DATABASE_URL is correct; then run `manage.py migrate`.",
    ),
    Step("cache", "The cache", _cache, "Make sure that Redis runs and that REDIS_URL is correct."),
    Step("worker", "A worker", _worker, "Start `manage.py worker`.", needs=("database",)),
    Step(
        "credentials",
        "The provider and its credentials",
        _credentials,
        "Check BLAXEL_API_URL, BLAXEL_WORKSPACE_ID and BLAXEL_API_KEY.",
    ),
    Step(
        "image",
        "The image of new sandboxes",
        _image,
        "Set SANDBOX_IMAGE to one that `manage.py images` lists.",
        needs=("credentials",),
    ),
]
