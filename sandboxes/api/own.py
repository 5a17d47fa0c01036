"""The gate of the REST API."""

from typing import cast

from rest_framework.request import Request

from accounts.models import User
from sandboxes import errors
from sandboxes.models import Sandbox


def own(request: Request) -> Sandbox:
    """The caller's own sandbox. Raises NoSandbox."""
    sandbox: Sandbox | None = Sandbox.objects.get_for_user(cast(User, request.user))
    if sandbox is None:
        raise errors.NoSandbox("You have no sandbox. POST /api/sandbox/init creates one.")
    return sandbox
