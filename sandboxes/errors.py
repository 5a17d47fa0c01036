"""Errors of sandboxes, with messages for their owner.

SandboxError
├── NoSandbox            404  none was ever asked for, or it was deleted
├── SandboxGone          410  expired, or deleted behind our back
├── SandboxBusy          409  being made
│   └── BeingDeleted          being deleted: a new one can be made afterwards
├── PortClosed           409  nothing answers on the port
│   └── PortLoopbackOnly      something does, but only inside the sandbox
├── NoTerminal           404  it was closed
├── TerminalInUse        409  a program still runs in it
├── TooManyTerminals     429  close one first
├── PortReserved         400  the sandbox's own, never shown
├── ProcessNotFound      404  none of that name, or it has ended
├── ProcessRefused       422  the sandbox can't start it: the message says why
├── ProcessExists        409  one of that name runs
├── WrongOwner           409  the provider's sandbox of that name belongs to another owner
├── FileError                 about one path
│   ├── FileNotFound     404
│   │   └── FolderNotFound     the folder that something is to be put into
│   ├── FileExists       409
│   ├── ChangedOnDisk    409  saved by another writer since it was read
│   ├── NotAFile         409  a folder, or a device
│   ├── NotAFolder       409
│   ├── BadPath          400  one that can't be, or can't be asked this of
│   ├── FileDenied       403  the sandbox's own permissions
│   ├── FileTooLarge     413
│   └── DiskFull         507
├── TooManyTransfers     429  uploads, downloads and archives at once
├── QuotaReached         429  a limit that an admin of Manta set: the code says which
├── NotMade              503  making it failed: the code says why
└── ProviderError
    ├── ProviderRejected     502  the provider answered, and said no
    │   ├── UnknownImage
    │   ├── BadCredentials
    │   └── QuotaExceeded
    └── ProviderUnavailable  503  the provider did not answer, or not in its own terms
        ├── ProviderBusy          it answered: not now, for this one sandbox
        └── CircuitOpen           not called: it failed too often a moment ago
"""

from datetime import datetime

from django.utils import timezone

from manta.core.errors import UserFacingError

# How the sentence of what can pass ends; replaced when the reconciler has given up.
TRIES_AGAIN = "Manta retries automatically."


class SandboxError(UserFacingError):
    code = "sandbox_error"
    # Whether trying again by itself can help.
    retryable = False


class NoSandbox(SandboxError):
    status, code = 404, "no_sandbox"


class SandboxGone(SandboxError):
    status, code = 410, "sandbox_gone"

    def __init__(
        self, message: str = "Your sandbox no longer exists. Recreate it in the panel."
    ) -> None:
        super().__init__(message)


class SandboxBusy(SandboxError):
    status, code, retry_after = 409, "sandbox_busy", 2


class BeingDeleted(SandboxBusy):
    code = "being_deleted"


class PortClosed(SandboxError):
    status, code = 409, "port_closed"


class NoTerminal(SandboxError):
    status, code = 404, "no_terminal"


class TerminalInUse(SandboxError):
    status, code = 409, "terminal_in_use"


class TooManyTerminals(SandboxError):
    status, code = 429, "too_many_terminals"


class PortLoopbackOnly(PortClosed):
    code = "port_loopback_only"


class PortReserved(SandboxError):
    status, code = 400, "port_reserved"


class ProcessNotFound(SandboxError):
    status, code = 404, "process_not_found"


class ProcessRefused(SandboxError):
    """field is what the form calls the part that was refused."""

    status, code = 422, "process_refused"

    def __init__(self, message: str, *, field: str = "command") -> None:
        super().__init__(message)
        self.field = field


class ProcessExists(ProcessRefused):
    status, code = 409, "process_exists"


class WrongOwner(SandboxError):
    status, code = 409, "wrong_owner"


class FileError(SandboxError):
    """Base of the errors about one path in a sandbox."""


class FileNotFound(FileError):
    status, code = 404, "file_not_found"


class FolderNotFound(FileNotFound):
    """The folder that something is to be put into."""

    code = "folder_not_found"


class FileExists(FileError):
    status, code = 409, "file_exists"


class ChangedOnDisk(FileError):
    status, code = 409, "changed_on_disk"


class NotAFile(FileError):
    status, code = 409, "not_a_file"


class NotAFolder(FileError):
    status, code = 409, "not_a_folder"


class BadPath(FileError):
    status, code = 400, "bad_path"


class FileDenied(FileError):
    status, code = 403, "file_denied"


class FileTooLarge(FileError):
    status, code = 413, "file_too_large"


class DiskFull(FileError):
    status, code = 507, "disk_full"


class TooManyTransfers(SandboxError):
    status, code, retry_after = 429, "too_many_transfers", 5


class QuotaReached(SandboxError):
    """frees_at is when there may be room again, where that is known."""

    status = 429

    def __init__(self, message: str, *, code: str, frees_at: datetime | None) -> None:
        super().__init__(message)
        self.code = code
        self.frees_at = frees_at
        wait = (frees_at - timezone.now()).total_seconds() if frees_at else 3600
        self.retry_after = max(1, round(wait))


class NotMade(SandboxError):
    """Raised to programs for a sandbox that the reconciler gave up on; code is the failure's."""

    status = 503

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class ProviderError(SandboxError):
    status, code = 502, "provider_error"


class ProviderRejected(ProviderError):
    status, code = 502, "provider_rejected"


class UnknownImage(ProviderRejected):
    code = "unknown_image"


class BadCredentials(ProviderRejected):
    code = "bad_credentials"


class QuotaExceeded(ProviderRejected):
    code = "quota_exceeded"


class ProviderUnavailable(ProviderError):
    status, code, retryable = 503, "provider_unavailable", True

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderBusy(ProviderUnavailable):
    """Says nothing of the provider itself: others' calls work."""


class CircuitOpen(ProviderUnavailable):
    """No call was made, so this counts as no attempt."""
