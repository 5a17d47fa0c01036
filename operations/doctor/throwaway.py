"""A sandbox that is made only to be tried, and that is deleted whatever happens."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from operations.doctor.finding import Step, StepFailed
from operations.doctor.sandbox import Target
from sandboxes import control_plane, data_plane, errors
from sandboxes.models import status
from sandboxes.starters import projects

# Its value is when it was made. What carries it is no orphan until it is old.
LABEL = "manta-doctor"
# Should everything fail, the provider itself deletes it then.
LIFETIME = timedelta(minutes=15)
# Seconds to wait for its end, and for one to appear whose making was broken off.
_DELETION_TIMEOUT = 30.0
_APPEARS_WITHIN = 5.0
_LOOK_EVERY = 0.1


class ThrowawaySandbox(Target):
    def __init__(self) -> None:
        super().__init__(name=f"doctor-{secrets.token_hex(4)}")
        self._may_exist = False
        self._may_appear = False

    @property
    def creation(self) -> Step:
        remedy = "Make sure that the provider works, the image exists and the quota allows it."
        return Step("create", "Creating a sandbox", self._create, remedy, ("credentials",))

    @property
    def starter(self) -> Step:
        remedy = "Set SANDBOX_STARTER to a project that the image can run."
        return Step("starter", "The starter project", self._start, remedy, ("create",))

    @property
    def deletion(self) -> Step:
        remedy = f"Delete {self.name} at the provider, or wait 15 minutes until it expires."
        return Step("delete", "Deleting it", self._delete, remedy, ("create",))

    def _create(self) -> str:
        self._may_exist = self._may_appear = True
        control_plane.sandboxes.create_if_not_exists(
            control_plane.types.SandboxSpec(
                name=self.name,
                image=settings.SANDBOX_IMAGE,
                memory_mb=settings.SANDBOX_MEMORY_MB,
                ports=settings.SANDBOX_PORTS,
                region=settings.SANDBOX_REGION,
                labels={LABEL: timezone.now().strftime("%Y-%m-%dT%H-%M-%SZ")},
                expires_at=timezone.now() + LIFETIME,
            )
        )
        self._may_appear = False
        self.reach = control_plane.sessions.open_session(self.name, LIFETIME).reach
        return f"{self.name} is there."

    def _start(self) -> str:
        project = projects.current()
        data_plane.files.write_tree(self.reach, project.folder, project.files)
        process = {
            "name": project.process,
            "command": project.command,
            "workingDir": project.folder,
            "waitForPorts": [project.port],
            "timeout": 15,
        }
        if not data_plane.processes.start_process(self.reach, process):
            raise StepFailed("Its server did not listen within 15 s.")
        if project.port in [port["target"] for port in settings.SANDBOX_PORTS]:
            self.port = project.port
        return f"{project.title} runs."

    def _delete(self) -> str:
        self.delete()
        return f"{self.name} is gone."

    def delete(self) -> None:
        """Delete it if it exists, and wait for its end; nothing happens the second time."""
        started = time.monotonic()
        while self._may_exist:
            record, waited = control_plane.sandboxes.get(self.name), time.monotonic() - started
            if record is None:
                self._may_exist = self._may_appear and waited < _APPEARS_WITHIN
            elif record.status == "TERMINATED":
                self._may_exist = False
            elif waited > _DELETION_TIMEOUT:
                raise errors.ProviderUnavailable(f"{self.name} is still there.")
            elif record.status not in status.GONE:
                control_plane.sandboxes.delete(self.name)
                self._may_appear = False
            if self._may_exist:
                time.sleep(_LOOK_EVERY)


@contextmanager
def throwaway_sandbox() -> Iterator[ThrowawaySandbox]:
    """One that does not outlive the block, also when that is left by Ctrl-C."""
    throwaway = ThrowawaySandbox()
    try:
        yield throwaway
    finally:
        throwaway.delete()
