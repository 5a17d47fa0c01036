"""A provider in memory, with a clock of its own, that fails, lies, delays, and loses answers.

It stands in for the gateway and for the sandboxes' own API, so that thousands of steps take
seconds. The reconciler's tests against the real thing are beside this.
"""

from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from sandboxes import control_plane, data_plane, errors
from sandboxes.control_plane import circuit_breaker
from sandboxes.control_plane.types import ProviderSandbox
from sandboxes.models.reach import LIFETIME, Reach
from sandboxes.reconciler import leases

_real_now = timezone.now
STRANGER = {"manta-owner": "999999"}
DOWN = errors.ProviderUnavailable("It is down.")
TROUBLES = ("down", "slow_down", "refuse", "lost", "crash_before", "crash_after", "delay")


class Killed(BaseException):
    """The worker was killed at this point."""


class FakeProvider:
    def __init__(self):
        self.now = _real_now() + timedelta(minutes=1)
        self.sandboxes = {}
        self.troubles = deque()
        self.delayed = []
        self.lies = {}
        self.harm = []
        self.killed = False

    def install(self, monkeypatch):
        monkeypatch.setattr(timezone, "now", lambda: self.now)
        for name in ("create_if_not_exists", "get", "delete", "set_expiry", "set_labels"):
            monkeypatch.setattr(control_plane.sandboxes, name, getattr(self, name))
        monkeypatch.setattr(control_plane.sandboxes, "list_pages", self.list_pages)
        monkeypatch.setattr(control_plane.previews, "ensure_preview", self.ensure_preview)
        monkeypatch.setattr(control_plane.sessions, "open_session", self.open_session)
        monkeypatch.setattr(
            data_plane.files, "file_exists", lambda reach, path: self.touch(reach) and False
        )
        monkeypatch.setattr(data_plane.files, "write_tree", lambda reach, *rest: self.touch(reach))
        monkeypatch.setattr(
            data_plane.processes, "list_processes", lambda reach: [self.touch(reach)][:0]
        )
        monkeypatch.setattr(
            data_plane.processes, "start_process", lambda reach, process: self.touch(reach)
        )
        release = leases.release
        monkeypatch.setattr(leases, "release", lambda row: None if self.killed else release(row))

    def reset(self):
        self.__init__()

    def passes(self, seconds):
        self.now += timedelta(seconds=seconds)
        for name, record in list(self.sandboxes.items()):
            ended = record.expires_at and record.expires_at <= self.now
            if ended or record.status == "DELETING":
                del self.sandboxes[name]
        late, self.delayed = self.delayed, []
        for effect in late:
            effect()

    def stops_misbehaving(self):
        self.troubles.clear()
        self.lies.clear()
        self.passes(1)

    # ---- The gateway

    @contextmanager
    def _call(self, effect=lambda: None):
        """One call: its effect happens, or not, or later; and the answer comes, or not."""
        with circuit_breaker.guard():
            trouble = self.troubles.popleft() if self.troubles else ""
            if trouble == "crash_before":
                raise self._kill()
            if trouble in ("down", "slow_down"):
                raise errors.ProviderUnavailable("No.", retry_after=30 * (trouble != "down"))
            if trouble == "refuse":
                raise errors.ProviderRejected("It says no.")
            if trouble == "delay":
                self.delayed.append(effect)
                raise DOWN
            effect()
            if trouble == "crash_after":
                raise self._kill()
            if trouble == "lost":
                raise DOWN
            yield

    def _kill(self):
        self.killed = True
        return Killed()

    def create_if_not_exists(self, spec):
        existing = self.sandboxes.get(spec.name)
        if existing and existing.status == "DELETING":
            raise errors.ProviderBusy("It is being deleted.")
        with self._call(lambda: self._make(spec)):
            return self._told(spec.name)

    def _make(self, spec):
        existing = self.sandboxes.get(spec.name)
        if existing is None or existing.status == "FAILED":
            self.sandboxes[spec.name] = ProviderSandbox(
                name=spec.name,
                status="DEPLOYED",
                state="RUNNING",
                url=f"https://sandboxes.example/{spec.name}",
                created_at=self.now,
                expires_at=spec.expires_at,
                labels=dict(spec.labels),
            )

    def get(self, name):
        with self._call():
            return self._told(name)

    def list_pages(self):
        with self._call():
            told = [self._told(name) for name in sorted(self.sandboxes)]
        for start in range(0, len(told), 2):
            yield told[start : start + 2]

    def _told(self, name):
        record = self.sandboxes.get(name)
        return replace(record, **self.lies.get(name, {})) if record else None

    def delete(self, name):
        with self._call(lambda: self._change(name, status="DELETING")):
            pass

    def set_expiry(self, name, expires_at):
        with self._call(lambda: self._change(name, expires_at=expires_at)):
            pass

    def set_labels(self, name, labels):
        with self._call(lambda: self._change(name, labels=labels)):
            pass

    def ensure_preview(self, name, port):
        with self._call(lambda: self._change(name)):
            return "https://preview.example"

    def open_session(self, name, lifetime=LIFETIME):
        with self._call(lambda: self._change(name)):
            until = timezone.now() + lifetime
            return control_plane.sessions.Session(
                Reach(f"https://sandboxes.example/{name}"), "token", until
            )

    def _change(self, name, **fields):
        record = self.sandboxes.get(name)
        if record and self._is_strangers(record):
            self.harm.append(f"{name}: {fields}")
        if record:
            self.sandboxes[name] = replace(record, **fields)

    def touch(self, reach):
        """A call to the sandbox's own API."""
        record = self.sandboxes.get(reach.url.rpartition("/")[2])
        if record is None:
            raise errors.ProviderUnavailable("Your sandbox is not answering.")
        if self._is_strangers(record):
            self.harm.append(f"{record.name}: touched")
        return True

    def _is_strangers(self, record):
        return record.labels.get("manta-owner") != record.name.removeprefix("user-")
