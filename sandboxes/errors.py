"""What can go wrong with a sandbox, as the person reads it.

SandboxError
├── NoSandbox            404  none was ever asked for, or it was deleted
├── SandboxGone          410  expired, or deleted behind our back
├── SandboxBusy          409  being made
│   └── BeingDeleted          being deleted: a new one can be made afterwards
├── PortClosed           409  nothing answers on the port
├── WrongOwner           409  the provider's sandbox of that name is somebody else's
├── NotMade              503  making it failed: the code says why
└── ProviderError
    ├── ProviderRejected     502  the provider answered, and said no
    │   ├── UnknownImage
    │   ├── BadCredentials
    │   └── QuotaExceeded
    └── ProviderUnavailable  503  the provider did not answer, or not in its own terms
"""

from manta.errors import UserFacingError


class SandboxError(UserFacingError):
    code = "sandbox_error"
    # Whether trying again by itself can help.
    retryable = False


class NoSandbox(SandboxError):
    status, code = 404, "no_sandbox"


class SandboxGone(SandboxError):
    status, code = 410, "sandbox_gone"


class SandboxBusy(SandboxError):
    status, code, retry_after = 409, "sandbox_busy", 2


class BeingDeleted(SandboxBusy):
    code = "being_deleted"


class PortClosed(SandboxError):
    status, code = 409, "port_closed"


class WrongOwner(SandboxError):
    status, code = 409, "wrong_owner"


class NotMade(SandboxError):
    """What the reconciler gave up on, told to a program; code is the failure's own."""

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
