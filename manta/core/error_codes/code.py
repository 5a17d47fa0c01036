from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorCode:
    """A code never changes its meaning: programs compare it."""

    code: str
    title: str
    cause: str
    action: str
