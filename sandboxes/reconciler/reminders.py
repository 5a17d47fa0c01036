"""Reminding people by e-mail that their sandbox expires: at most once each, however many workers.

A reminder is written down before it is sent, so that a crash rather loses one than sends it twice;
every page shows it in any case. While the mail server can't be reached none is written down, and
the next sweep tries again.
"""

import logging
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core import mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from sandboxes import audit
from sandboxes.models import Action, Phase, Reminder, Sandbox, reminder_schedule
from sandboxes.reconciler.unsaved_work import look_for_unsaved_work

logger = logging.getLogger(__name__)

_AT_ONCE = 200
_MAIL_ERRORS = (SMTPException, OSError)


def send_due() -> None:
    """Send what is due. A failure of the mail server ends this sweep, and no more than that."""
    due = Sandbox.objects.filter(phase=Phase.READY, remind_at__lte=timezone.now())
    rows = list(due.order_by("remind_at").values_list("pk", flat=True)[:_AT_ONCE])
    if not rows:
        return
    connection = mail.get_connection()
    try:
        connection.open()
        for pk in rows:
            _remind(pk, connection)
    except _MAIL_ERRORS as exc:
        logger.warning("A reminder could not be sent: %s", exc)
    finally:
        connection.close()


def _remind(pk: int, connection: Any) -> None:
    sandbox = Sandbox.objects.select_related("owner").filter(pk=pk, phase=Phase.READY).first()
    if sandbox is None:
        return
    lead = reminder_schedule.current(sandbox.expires_at, sandbox.ttl)
    known: dict[str, Any] = {"expires_at": sandbox.expires_at, "lead": lead}
    is_news = lead is not None and not sandbox.reminders.filter(**known).exists()
    if is_news:
        look_for_unsaved_work(sandbox)
    with transaction.atomic():
        row = Sandbox.objects.filter(pk=pk, phase=Phase.READY)
        if not row.filter(expires_at=sandbox.expires_at).update(remind_at=_after(sandbox, lead)):
            return  # the date has moved, or it is being deleted
        if is_news:
            _, is_news = Reminder.objects.get_or_create(sandbox=sandbox, **known)
    if is_news and lead and sandbox.owner:
        _send(sandbox, lead, connection)


def _after(sandbox: Sandbox, lead: timedelta | None) -> Any:
    if sandbox.expires_at is None or sandbox.expires_at <= timezone.now():
        return None
    return reminder_schedule.next_after(sandbox.expires_at, sandbox.ttl, lead)


def _send(sandbox: Sandbox, lead: timedelta, connection: Any) -> None:
    context = {
        "sandbox": sandbox,
        "in_hours": round(lead / timedelta(hours=1)),
        "work": [_in_a_line(folder) for folder in sandbox.unsaved_work],
        "url": settings.MANTA_URL + reverse("sandboxes:workspace"),
    }
    subject = render_to_string("sandboxes/email/reminder_subject.txt", context)
    message = mail.EmailMessage(
        settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + subject.strip(),
        render_to_string("sandboxes/email/reminder.txt", context),
        to=[sandbox.owner.email],  # type: ignore[union-attr]
        headers={"Auto-Submitted": "auto-generated"},
        connection=connection,
    )
    detail = f"{context['in_hours']} h before"
    try:
        message.send()
    except _MAIL_ERRORS:
        audit.record(sandbox, Action.REMINDED, detail=detail, outcome="mail_failed")
        raise
    audit.record(sandbox, Action.REMINDED, detail=detail)


def _in_a_line(folder: dict[str, Any]) -> str:
    """Describe a git folder's unsaved work in one line, whatever its names contain."""
    pushed = "not pushed" if folder["remotes"] else "with no remote"
    parts = [f"{folder['changed']} uncommitted"] if folder["changed"] else []
    parts += [
        f"{branch['commits']} on {branch['name'] or 'no branch'}, {pushed}"
        for branch in folder["branches"]
    ]
    parts += [f"{folder['stashes']} stashed"] if folder["stashes"] else []
    line = f"{folder['folder']}: {'; '.join(parts)}"
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:300]
