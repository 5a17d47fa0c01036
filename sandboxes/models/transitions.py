"""The fields of a row whose sandbox is made, or gone, from now on."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from sandboxes.models.sandbox import Step
from sandboxes.models.status import Phase


def pending_fields() -> dict[str, Any]:
    """The fields of a row whose sandbox is to be made, or found, from now on."""
    now = timezone.now()
    return {
        "phase": Phase.PENDING,
        "step": Step.QUEUED,
        "attempts": 0,
        "next_attempt_at": now,
        "provision_deadline": now + settings.SANDBOX_START_TIMEOUT,
        "queued_since": None,
        "used_at": now,
        "error_code": "",
        "error_message": "",
    }


def no_session() -> dict[str, Any]:
    return {"data_url": "", "data_token": "", "data_token_until": None}


def cleared_observation() -> dict[str, Any]:
    """The fields of a row that has nothing left of an earlier sandbox of its name."""
    return {
        **dict.fromkeys(["url", "provider_status", "provider_state", "known_status"], ""),
        **no_session(),
        **dict.fromkeys(["provider_created_at", "last_used_at", "expires_at"]),
        **dict.fromkeys(["requested_expiry", "remind_at", "extended_until"]),
        **dict.fromkeys(["restart_wanted_at", "restarted_at"]),
        **dict.fromkeys(["starter_written_at", "starter_checked_at"]),
        **dict.fromkeys(["unsaved_checked_at", "unsaved_wanted_at"]),
        "unsaved_work": [],
        "unsaved_problem": "",
        "drift": {},
    }
