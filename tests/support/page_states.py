"""A person's sandbox, held in each state that the panel can show.

No worker runs meanwhile, and what it would have noted is written into the database.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.manta_process import Parts
from tests.support.visitor import Visitor

LATER = "2999-01-01 00:00:00"
_READY = {"phase": "ready", "provider_status": "DEPLOYED", "provider_state": "RUNNING"}
_NOT_ANSWERING = "The sandbox provider is not answering. Manta retries automatically."

_WORK = json.dumps(
    [
        {
            **{"folder": "/blaxel/my shop", "changed": 3, "stashes": 1, "remotes": 1},
            "branches": [{"name": "main", "commits": 2}],
        },
        {
            **{"folder": "/blaxel/notes", "changed": 0, "stashes": 0, "remotes": 0},
            "branches": [{"name": "main", "commits": 12}],
        },
    ]
)


def _in(**time: int) -> str:
    return _written(datetime.now(UTC) + timedelta(**time))


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


# What is seen, and what stands in the database meanwhile.
STATES: dict[str, tuple[str, dict[str, Any]]] = {
    "none": ("No sandbox yet.", _READY),
    "queued": ("Asked for: a worker will begin.", {"phase": "pending", "step": "queued"}),
    "provisioning": ("The sandbox is being created.", {"phase": "pending", "step": "starter"}),
    "retrying": (
        "The provider is not answering: Manta tries again.",
        {
            **{"phase": "pending", "step": "creating", "attempts": 2},
            **{"error_code": "provider_unavailable", "error_message": _NOT_ANSWERING},
        },
    ),
    "active": ("Active.", _READY),
    "asleep": ("Standby: it wakes when it is used.", {**_READY, "provider_state": "STANDBY"}),
    "stale": ("Nothing was heard of the provider lately.", _READY),
    "unknown": (
        "The provider says something that Manta doesn't know.",
        {**_READY, "provider_status": "SOMETHING_NEW"},
    ),
    "stopped": ("The provider has stopped it.", {**_READY, "provider_status": "DEACTIVATED"}),
    "failed": (
        "It could not be made, and why.",
        {
            **{"phase": "failed", "error_code": "unknown_image"},
            "error_message": "The provider has no image 'blaxel/nope'. Set SANDBOX_IMAGE to one "
            "of those that `manage.py images` lists.",
        },
    ),
    "expired": (
        "It was not used until its expiry date.",
        {
            **{"phase": "gone", "error_code": "expired"},
            "error_message": "It was not used by its expiry date, so it was deleted with all "
            "its files.",
        },
    ),
    "deleted": (
        "It was deleted at the provider.",
        {
            **{"phase": "gone", "error_code": "deleted", "unsaved_work": _WORK},
            "error_message": "It was deleted at the provider with all its files.",
        },
    ),
    "deleting": ("It is being deleted.", {"phase": "deleting"}),
    "resetting": ("It is being made anew.", {"phase": "deleting", "recreate_after_delete": True}),
    "restarting": ("It is being restarted.", {**_READY, "restart_wanted_at": LATER}),
    "expiring": ("It ends within the hour.", {**_READY, "expires_at": _in(minutes=50)}),
    "capped": (
        "It can't be kept any longer.",
        {**_READY, "extended_until": LATER, "requested_expiry": LATER},
    ),
    "unsaved": ("There is work in it that is nowhere else.", {**_READY, "unsaved_work": _WORK}),
}
# What every other state has of these.
_USUAL = {
    **{"step": "opening", "attempts": 0, "error_code": "", "error_message": ""},
    **{"recreate_after_delete": False, "provision_deadline": LATER},
    **{"restart_wanted_at": None, "extended_until": None},
    **{"requested_expiry": None, "unsaved_work": "[]", "unsaved_wanted_at": None},
}


class Still:
    def __init__(self, parts: Parts, visitor: Visitor) -> None:
        self.visitor = visitor
        self.url = parts.url
        self._database = parts.state_dir / "manta.sqlite3"
        self._name = visitor.until_ready()
        self._provider_fails(False)

    def show(self, state: str) -> None:
        """One of STATES."""
        now = _written(datetime.now(UTC))
        seen = {"checked_at": now, "unsaved_checked_at": now, "expires_at": _in(hours=20)}
        fields = _USUAL | seen | STATES[state][1]
        fields["next_attempt_at"] = None if fields["phase"] == "ready" else LATER
        if fields["attempts"]:
            fields["next_attempt_at"] = _in(seconds=20)
        columns = ", ".join(f"{name} = ?" for name in fields)
        # A name that is nobody's, for a person who has none.
        name = None if state == "none" else self._name
        self._execute(f"UPDATE sandboxes_sandbox SET {columns}", *fields.values())
        self._execute("UPDATE accounts_user SET sandbox_id = ? WHERE email = ?", name, self._email)
        self._provider_fails(state == "stale")

    def confirm_address(self, email: str) -> None:
        """As whoever follows the link in the message."""
        self._execute("UPDATE account_emailaddress SET verified = TRUE WHERE email = ?", email)

    def make_admin(self, email: str) -> None:
        rights = "is_staff = TRUE, is_superuser = TRUE"
        self._execute(f"UPDATE accounts_user SET {rights} WHERE email = ?", email)

    @contextmanager
    def broken(self) -> Iterator[None]:
        """The record of the agents' calls can't be read: a bug, as a page sees it."""
        self._execute("ALTER TABLE sandboxes_toolcall RENAME TO lost")
        yield
        self._execute("ALTER TABLE lost RENAME TO sandboxes_toolcall")

    @property
    def _email(self) -> str:
        return self.visitor.email

    def _provider_fails(self, fails: bool) -> None:
        self._execute("UPDATE sandboxes_heartbeat SET ok_at = ?, failed_at = NULL", LATER)
        if fails:
            failing = "UPDATE sandboxes_heartbeat SET failed_at = ? WHERE subject = 'provider'"
            self._execute(failing, LATER.replace("01-01", "01-02"))

    def _execute(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self._database, timeout=20)) as database, database:
            database.execute(statement, values)


@contextmanager
def held(
    parts: Parts, email: str = "", beforehand: Callable[[Visitor], None] = lambda _: None
) -> Iterator[Still]:
    """A new person's sandbox, in which nothing changes by itself, once that is done beforehand."""
    with Visitor(parts.url, email) as visitor:
        visitor.sign_up()
        visitor.until_ready()
        beforehand(visitor)
        parts.stop("worker")
        yield Still(parts, visitor)
        parts.mend()
