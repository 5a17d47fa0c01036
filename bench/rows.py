"""Costs of a thousand and of a hundred thousand sandboxes: rows alone, without a provider."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bench.report import Group, Table
from bench.timing import percentile, repeated

SIZES = (1_000, 100_000)
TIMES = 20
_BATCH = 2_000


def measure() -> list[Table]:
    few, many = (_of(size) for size in SIZES)
    rows = [
        (what, *(f"{ms:.2f} ms" for ms in (few[what], many[what])), f"{many[what] / few[what]:.1f}")
        for what in few
    ]
    return [Table(("What (p50)", *(f"{size:,} rows" for size in SIZES), "Times as long"), rows)]


def _of(size: int) -> dict[str, float]:
    """Measure in a process and a database of its own: Django has one configuration each."""
    with tempfile.TemporaryDirectory(prefix="manta-bench-") as folder:
        environ = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{Path(folder) / 'rows.sqlite3'}",
            "MANTA_STATE_DIR": folder,
            "SECRET_KEY": "of-the-bench",
            "MANTA_LOCAL": "true",
            "DEBUG": "true",
            "REDIS_URL": "",
            "DJANGO_SETTINGS_MODULE": "manta.settings",
        }
        command = [sys.executable, "-m", "bench.rows", str(size)]
        answer = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def _fill(size: int) -> None:
    """Users, each with a sandbox that was made, and an event."""
    from django.db.models import CharField, Value
    from django.db.models.functions import Cast, Concat, LPad
    from django.utils import timezone

    from accounts.models import User
    from sandboxes.models import Sandbox, SandboxEvent

    now = timezone.now()
    made = {"phase": "ready", "provider_status": "DEPLOYED", "provider_state": "STANDBY"}
    made |= {"known_status": "standby", "image": "blaxel/prod-base:latest", "memory_mb": 4096}
    dates = {"checked_at": now, "provider_created_at": now, "expires_at": now + timedelta(days=1)}
    for start in range(0, size, _BATCH):
        numbers = range(start, min(start + _BATCH, size))
        users = User.objects.bulk_create(User(email=f"u{n}@example.com") for n in numbers)
        Sandbox.objects.bulk_create(
            Sandbox(owner=user, name=f"user-{user.pk:06}", ttl=timedelta(days=1), **made, **dates)
            for user in users
        )
        SandboxEvent.objects.bulk_create(
            SandboxEvent(owner=user, sandbox_name=f"user-{user.pk:06}", actor_kind="job")
            for user in users
        )
    number = LPad(Cast("pk", CharField()), 6, Value("0"))
    User.objects.update(sandbox=Concat(Value("user-"), number))


def _measurements() -> dict[str, Callable[[], object]]:
    from django.test import Client

    from accounts.models import User
    from sandboxes.models import Sandbox
    from sandboxes.reconciler import start_queue

    admin = User.objects.create_superuser("admin@example.com", "of-the-bench")
    as_admin, as_user = Client(HTTP_HOST="localhost"), Client(HTTP_HOST="localhost")
    as_admin.force_login(admin)
    as_user.force_login(User.objects.get(email="u500@example.com"))
    sandboxes = "/admin/sandboxes/sandbox/"
    return {
        "Sweep: which are to be made": start_queue.startable_ids,
        "Sweep: which are to be kept": lambda: Sandbox.objects.due_for_maintenance(16),
        "Sweep: which rows are watched": lambda: list(Sandbox.objects.watched()[:500]),
        "Status read: GET /api/sandbox/init": lambda: _get(as_user, "/api/sandbox/init"),
        "Panel": lambda: _get(as_user, "/sandbox/panel/"),
        "Activity": lambda: _get(as_user, "/sandbox/activity/"),
        "Admin: list of sandboxes": lambda: _get(as_admin, sandboxes),
        # Ten rows have it, however many there are.
        "Admin: a name searched for": lambda: _get(as_admin, f"{sandboxes}?q=user-00077"),
        "Admin: a part of a name": lambda: _get(as_admin, f"{sandboxes}?q=r-00077"),
        "Admin: list of events": lambda: _get(as_admin, "/admin/sandboxes/sandboxevent/"),
    }


def _get(client: object, path: str) -> None:
    response = client.get(path)  # type: ignore[attr-defined]
    if response.status_code != 200:
        raise RuntimeError(f"{path} answered {response.status_code}")


def _main(size: int) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    _fill(size)
    found = {}
    for what, action in _measurements().items():
        action()
        found[what] = percentile(repeated(action, TIMES), 50)
    json.dump(found, sys.stdout)


GROUP = Group("Many rows", measure)

if __name__ == "__main__":
    _main(int(sys.argv[1]))
