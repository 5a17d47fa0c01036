"""Errors, and the three JSON shapes in which the API reports them.

ApiError
├── Invalid          400  a field, named in the message
├── Unauthorized     401  no key, or a wrong one
├── Forbidden        403  another workspace
├── NotFound         404
├── Conflict         409
├── TooLarge         413
├── CreationTimeout  408  X-Blaxel-Creation-Timeout has passed
├── NotDeployed      500  a sandbox could not be started
├── NotSupported     501  it needs the cloud, or real virtual machines
├── Unavailable      404  the sandbox exists, and can't be reached now (the gateway's status for it)
└── BadGateway       502  nothing listens on the port, or what listens there broke off
"""

import time
from typing import Any, ClassVar

from starlette.responses import JSONResponse

from local_blaxel import clock

DOCS = "https://docs.blaxel.ai/troubleshooting/error-codes"


class ApiError(Exception):
    status: ClassVar[int] = 500
    code: str = "INTERNAL_ERROR"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details


class Invalid(ApiError):
    status, code = 400, "VALIDATION_ERROR"


class Unauthorized(ApiError):
    status, code = 401, "AUTHENTICATION_FAILED"


class Forbidden(ApiError):
    # Not UNAUTHORIZED: the SDK sends a create again after that one.
    status, code = 403, "FORBIDDEN"


class NotFound(ApiError):
    status, code = 404, "NOT_FOUND"


class CreationTimeout(ApiError):
    status, code = 408, "CREATION_TIMEOUT"


class Conflict(ApiError):
    status, code = 409, "CONFLICT"


class TooLarge(ApiError):
    status, code = 413, "REQUEST_ENTITY_TOO_LARGE"


class NotDeployed(ApiError):
    status, code = 500, "DEPLOYMENT_FAILED"


class NotSupported(ApiError):
    status, code = 501, "NOT_SUPPORTED"


class Unavailable(ApiError):
    status, code, retryable = 404, "WORKLOAD_UNAVAILABLE", True


class BadGateway(ApiError):
    status, code, retryable = 502, "UPSTREAM_CONNECT_FAILED", True


def control(error: ApiError) -> JSONResponse:
    """The control plane's shape. The SDK takes its status from the body."""
    body = {"error": error.code, "code": error.status, "message": error.message}
    return JSONResponse(body, error.status)


def creation(error: ApiError, *, workspace: str) -> JSONResponse:
    """The shape of `POST /sandboxes` alone."""
    details = dict(error.details)
    body = {
        "code": error.code,
        "message": error.message,
        "status_code": error.status,
        "sandbox_name": details.pop("sandbox_name", ""),
        "workspace": workspace,
        "step": "validate_and_prepare" if error.status < 500 else "deploy",
        "timestamp": clock.written(time.time()),
        "details": details,
    }
    return JSONResponse(body, error.status)


def gateway(error: ApiError) -> JSONResponse:
    """The edge's shape: for whatever did not come from the sandbox itself."""
    body = {
        "code": error.code,
        "message": error.message,
        "status": error.status,
        "retryable": error.retryable,
        "origin": "platform",
        "action": error.details.get("action", "Correct the request."),
        "do_not": "Repeat it unchanged in a loop.",
        "docs_url": DOCS,
        "timestamp": clock.written(time.time()),
    }
    return JSONResponse({"error": body}, error.status)
