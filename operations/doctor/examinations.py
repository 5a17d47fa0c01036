"""Examinations of the installation with a throw-away sandbox, and of a person's own sandbox."""

from collections.abc import Generator, Iterator

from operations.doctor import installation, sandbox
from operations.doctor.finding import Finding, examine
from operations.doctor.throwaway import throwaway_sandbox
from sandboxes.models import Sandbox


def examine_installation() -> Generator[Finding, None, None]:
    """Check from the settings to a sandbox that is made, tried and, in any case, deleted."""
    with throwaway_sandbox() as throwaway:
        yield from examine(
            [
                *installation.STEPS,
                throwaway.creation,
                throwaway.starter,
                *sandbox.steps(throwaway),
                throwaway.deletion,
            ]
        )


def examine_sandbox(own: Sandbox) -> Iterator[Finding]:
    """A sandbox as it is: it is woken, and left as it was found."""
    target = sandbox.Target(name=own.name, port=own.first_port)
    yield from examine([*sandbox.arrival(own, target), *sandbox.steps(target)])
