"""States of a sandbox: which rows are in each, and how people and programs read it.

The panel, the live stream, the API and the admin's filter all take them from STATES; to add one is
to add its line there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Q


class Phase(models.TextChoices):
    """Phases of a row: the state that the reconciler works towards."""

    PENDING = "pending", "being created"
    READY = "ready", "ready"
    FAILED = "failed", "failed"
    DELETING = "deleting", "being deleted"
    GONE = "gone", "no longer at the provider"


class Status(models.TextChoices):
    """Statuses that the API tells and the admin filters by; several states may have one."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"
    STANDBY = "standby"
    STOPPED = "stopped"
    FAILED = "failed"
    UNKNOWN = "unknown"


# Being deleted or deleted: nothing that was in it can come back.
GONE = frozenset({"DELETING", "TERMINATED"})


@dataclass(frozen=True)
class State:
    """A state of a sandbox, as its owner sees it."""

    name: str
    status: Status
    word: str
    detail: str = ""
    # The columns of the rows that are in it, where these are not made.
    rows: Mapping[str, Any] = field(default_factory=dict)
    # Of a made sandbox, what the provider reports: "STATUS", or "STATUS/STATE".
    reported: frozenset[str] = frozenset()
    # The one thing to do about it.
    action: str = ""
    poll_seconds: int = 30
    # What can be done with a sandbox in it: Open and Restart, Reset, Delete.
    can_use: bool = False
    can_reset: bool = True
    can_delete: bool = True

    @property
    def is_passing(self) -> bool:
        """It ends by itself, soon."""
        return self.poll_seconds == 1


NONE = State(
    "none",
    Status.UNKNOWN,
    "No sandbox",
    "You don't have one yet.",
    action="Initialize",
    can_reset=False,
    can_delete=False,
)
UNKNOWN = State(
    "unknown",
    Status.UNKNOWN,
    "Unknown",
    "The provider reports a state that Manta doesn't know.",
    can_use=True,
)


def _by_name(*states: State) -> dict[str, State]:
    return {state.name: state for state in states}


# Of those that a row fits, the first counts.
STATES = _by_name(
    NONE,
    State(
        "provisioning",
        Status.PROVISIONING,
        "Creating",
        "This usually takes a few seconds.",
        rows={"phase": Phase.PENDING},
        reported=frozenset({"UPLOADING", "BUILDING", "BUILT", "DEPLOYING", "UNARCHIVING"}),
        poll_seconds=1,
    ),
    State(
        "active",
        Status.ACTIVE,
        "Active",
        "Goes to standby by itself when it is idle.",
        reported=frozenset({"DEPLOYED/", "DEPLOYED/RUNNING"}),
        # It is about to sleep.
        poll_seconds=2,
        can_use=True,
    ),
    State(
        "standby",
        Status.STANDBY,
        "Standby",
        "Sleeping, with everything kept in memory. Wakes in under a second.",
        reported=frozenset({"DEPLOYED/STANDBY"}),
        can_use=True,
    ),
    State(
        "stopped",
        Status.STOPPED,
        "Stopped",
        "The provider has stopped it.",
        reported=GONE | {"DEACTIVATING", "DEACTIVATED", "ARCHIVING", "ARCHIVED"},
    ),
    State(
        "failed",
        Status.FAILED,
        "Failed",
        "It could not be created.",
        rows={"phase": Phase.FAILED},
        reported=frozenset({"FAILED"}),
        action="Retry",
    ),
    State(
        "deleted",
        Status.STOPPED,
        "Deleted",
        rows={"phase": Phase.GONE, "error_code": "deleted"},
        action="Recreate",
        can_reset=False,
        can_delete=False,
    ),
    State(
        "expired",
        Status.STOPPED,
        "Expired",
        rows={"phase": Phase.GONE},
        action="Recreate",
        can_reset=False,
        can_delete=False,
    ),
    State(
        "resetting",
        Status.PROVISIONING,
        "Being reset",
        "It is being deleted, and then created again from the starter.",
        rows={"phase": Phase.DELETING, "recreate_after_delete": True},
        poll_seconds=1,
        can_reset=False,
    ),
    State(
        "deleting",
        Status.STOPPED,
        "Being deleted",
        "The sandbox and its files are being deleted.",
        rows={"phase": Phase.DELETING, "recreate_after_delete": False},
        poll_seconds=1,
        can_reset=False,
        can_delete=False,
    ),
    UNKNOWN,
)
_REPORTED = {report: state for state in STATES.values() for report in state.reported}


def state_of(row: Any) -> State:
    """Return the state of a sandbox's row."""
    if row.phase == Phase.READY:
        return _reported(row.provider_status, row.provider_state)
    return next(
        state
        for state in STATES.values()
        if state.rows and all(getattr(row, name) == value for name, value in state.rows.items())
    )


def from_provider(status: str, state: str) -> Status:
    """Map Blaxel's status and state (both "" when missing); anything unseen is unknown."""
    return _reported(status, state).status


def rows_with(status: Status) -> Q:
    """Return the condition for rows of which programs read this status."""
    found = Q(phase=Phase.READY, known_status=status)
    for state in STATES.values():
        if state.rows and state.status is status:
            found |= Q(**state.rows)
    return found


def _reported(status: str, state: str) -> State:
    return _REPORTED.get(f"{status}/{state}") or _REPORTED.get(status) or UNKNOWN
