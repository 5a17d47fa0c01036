"""Reminders of the expiry: which, when, how often, and what they say."""

import socketserver
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from sandboxes import services
from sandboxes.control_plane.types import ProviderSandbox
from sandboxes.models import Action, Phase, Reminder, Sandbox, SandboxEvent, reminder_schedule
from sandboxes.reconciler import reminders
from sandboxes.reconciler.observation import observe
from tests.support.factories import SandboxFactory
from tests.support.threads import at_once

HOUR = timedelta(hours=1)
DAYS = timedelta(days=30)


@pytest.fixture
def expiring(alice):
    """A sandbox that expires after so long, as a look has just found it."""

    def expiring(left, ttl=DAYS, **fields):
        sandbox = SandboxFactory(owner=alice, ttl=ttl, expires_at=None, **fields)
        return seen(sandbox, timezone.now() + left)

    return expiring


def seen(sandbox, expires_at):
    """The row after the provider has reported this date."""
    record = ProviderSandbox(
        sandbox.name, status="DEPLOYED", url=sandbox.url, expires_at=expires_at
    )
    fields = observe(sandbox, record)
    Sandbox.objects.filter(pk=sandbox.pk).update(**fields)
    sandbox.refresh_from_db()
    return sandbox


def sent(alice):
    return [message.subject for message in mail.outbox if message.to == [alice.email]]


@pytest.mark.parametrize(
    ("left", "subject"),
    [
        (71 * HOUR, "[Manta] Your sandbox expires in 72 hours"),
        (23 * HOUR, "[Manta] Your sandbox expires in 24 hours"),
        (0.9 * HOUR, "[Manta] Your sandbox expires in an hour"),
    ],
)
def test_each_reminder_is_sent_in_its_time_and_once(expiring, alice, left, subject):
    expiring(left)

    reminders.send_due()
    reminders.send_due()

    assert sent(alice) == [subject]
    assert SandboxEvent.objects.get(action=Action.REMINDED).outcome == "ok"


@pytest.mark.parametrize(
    ("left", "ttl"),
    [
        (73 * HOUR, DAYS),  # not yet
        (20 * HOUR, 24 * HOUR),  # 24 h is more than half of the TTL
        (0.9 * HOUR, 1.5 * HOUR),
        (-HOUR, DAYS),  # too late
    ],
)
def test_what_is_not_due_is_not_sent(expiring, left, ttl):
    expiring(left, ttl)

    reminders.send_due()

    assert mail.outbox == []


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.DELETING, Phase.GONE])
def test_only_a_made_sandbox_has_reminders(expiring, phase):
    expiring(HOUR / 2, phase=phase)

    reminders.send_due()

    assert mail.outbox == []


def test_the_next_reminder_follows_when_its_time_comes(expiring, alice):
    sandbox = expiring(23 * HOUR)
    reminders.send_due()
    sandbox.refresh_from_db()

    assert sandbox.remind_at == sandbox.expires_at - HOUR
    assert len(sent(alice)) == 1


def test_after_a_while_without_a_worker_only_the_latest_is_sent(expiring, alice):
    expiring(HOUR / 2)

    reminders.send_due()

    assert sent(alice) == ["[Manta] Your sandbox expires in an hour"]
    assert Reminder.objects.count() == 1


def test_a_date_that_moves_has_reminders_of_its_own(expiring, alice):
    sandbox = expiring(HOUR / 2)
    reminders.send_due()

    sandbox = seen(sandbox, timezone.now() + 30 * 24 * HOUR)
    reminders.send_due()
    assert len(sent(alice)) == 1
    assert sandbox.remind_at == sandbox.expires_at - 72 * HOUR
    sandbox = seen(sandbox, timezone.now() + 40 * timedelta(minutes=1))
    reminders.send_due()

    assert len(sent(alice)) == 2


def test_a_count_that_wavers_does_not_remind_again(expiring, alice):
    sandbox = expiring(HOUR / 2)
    reminders.send_due()

    seen(sandbox, sandbox.expires_at + timedelta(minutes=1))
    reminders.send_due()

    assert len(sent(alice)) == 1


def test_what_was_dismissed_in_the_page_needs_no_mail(expiring):
    sandbox = expiring(HOUR / 2)
    services.expiry.dismiss_reminder(sandbox=sandbox)

    reminders.send_due()

    assert mail.outbox == []


def test_a_reminder_is_found_by_an_index(expiring, django_assert_num_queries):
    with django_assert_num_queries(1):
        reminders.send_due()

    fields = [index["columns"] for index in indexes()]
    assert ["remind_at"] in fields


def indexes():
    with connection.cursor() as cursor:
        table = Sandbox._meta.db_table
        return connection.introspection.get_constraints(cursor, table).values()


# ---- What it says


def test_the_mail_says_what_when_and_how_to_keep_it(expiring, settings, monkeypatch):
    settings.MANTA_URL = "https://manta.example.com"
    sandbox = expiring(HOUR / 2)
    work = {"folder": "/blaxel/a\nBcc: x", "changed": 3, "stashes": 1, "remotes": 1}
    work["branches"] = [{"name": "main", "commits": 2}]
    monkeypatch.setattr("sandboxes.data_plane.git_scan.look", lambda url: ([work], ""))

    reminders.send_due()

    body = mail.outbox[0].body
    assert f"{sandbox.expires_at:%H:%M} UTC" in body
    assert "https://manta.example.com/workspace/" in body
    assert "- /blaxel/a?Bcc: x: 3 uncommitted; 2 on main, not pushed; 1 stashed" in body
    assert mail.outbox[0].extra_headers["Auto-Submitted"] == "auto-generated"


def test_a_sandbox_that_does_not_answer_is_said_to_have_not_been_looked_into(expiring):
    expiring(HOUR / 2)

    reminders.send_due()

    assert "The check failed" in mail.outbox[0].body


def test_a_look_before_a_reminder_is_no_use_of_the_persons(made, look_again):
    used_at = made.used_at
    Sandbox.objects.update(expires_at=timezone.now() + HOUR / 2, remind_at=timezone.now(), ttl=DAYS)

    reminders.send_due()

    made.refresh_from_db()
    assert "committed and pushed" in mail.outbox[0].body
    assert made.unsaved_checked_at is not None
    assert made.used_at == used_at


# ---- Mail servers, and many workers


class Sink(socketserver.StreamRequestHandler):
    """As little SMTP as a mail needs."""

    def handle(self):
        self.say("220 sink")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.received.append(b"".join(lines).decode())
            if verb == b"RCPT" and self.server.refuses:
                self.say("550 nobody here")
                continue
            self.say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def smtp(settings):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as server:
        server.received, server.refuses, server.daemon_threads = [], False, True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_USE_TLS = False
        yield server
        server.shutdown()


def test_a_reminder_reaches_a_real_mail_server(expiring, smtp, alice):
    expiring(HOUR / 2)

    reminders.send_due()

    assert "Subject: [Manta] Your sandbox expires in an hour" in smtp.received[0]
    assert f"To: {alice.email}" in smtp.received[0]


def test_while_the_mail_server_is_away_none_is_lost(expiring, smtp, settings):
    sandbox = expiring(HOUR / 2)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9

    reminders.send_due()
    assert not Reminder.objects.exists()
    settings.EMAIL_PORT = port
    reminders.send_due()

    assert len(smtp.received) == 1
    assert sandbox.reminders.count() == 1


def test_one_that_the_server_refuses_is_on_the_record_and_not_tried_again(expiring, smtp):
    expiring(HOUR / 2)
    smtp.refuses = True

    reminders.send_due()
    reminders.send_due()

    assert smtp.received == []
    assert SandboxEvent.objects.get(action=Action.REMINDED).outcome == "mail_failed"


@pytest.mark.django_db(transaction=True)
def test_several_workers_send_one_mail(smtp):
    sandbox = SandboxFactory(ttl=DAYS, expires_at=None)
    seen(sandbox, timezone.now() + HOUR / 2)

    at_once(6, lambda number: reminders.send_due())

    assert len(smtp.received) == 1


# ---- When


@pytest.mark.parametrize(
    ("ttl", "leads"),
    [(DAYS, [72, 24, 1]), (timedelta(days=6), [72, 24, 1]), (24 * HOUR, [1]), (HOUR, [])],
)
def test_a_reminder_in_the_first_half_of_the_ttl_is_left_out(ttl, leads):
    assert [lead / HOUR for lead in reminder_schedule.leads_of(ttl)] == leads
