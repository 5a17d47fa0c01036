"""Errors written for the person who reads them."""

from typing import ClassVar


class UserFacingError(Exception):
    """Base of what may be shown: str() is one or two plain sentences with a cause and a remedy."""

    status: ClassVar[int] = 500
    code: str = "error"
    retry_after: int | None = None
