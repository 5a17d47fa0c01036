"""A step that is tried, and what was found."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from manta.core.errors import UserFacingError

logger = logging.getLogger(__name__)


class Verdict(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class StepFailed(Exception):
    """Raised by a step that did not pass, with the reason in a sentence."""


class NotApplicable(Exception):
    """Raised by a step that can't check anything here, with the reason in a sentence."""


@dataclass(frozen=True)
class Step:
    """check returns what is worth saying when it passes. It needs steps that come before it."""

    name: str
    title: str
    check: Callable[[], str]
    remedy: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    name: str
    title: str
    verdict: Verdict
    seconds: float = 0.0
    detail: str = ""
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(steps: Iterable[Step]) -> Iterator[Finding]:
    """Try the steps in turn; what needs one that did not pass is skipped."""
    missing: dict[str, str] = {}
    for step in steps:
        lacking = [missing[name] for name in step.needs if name in missing]
        if lacking:
            detail = f"Skipped: “{lacking[0]}” failed."
            finding = Finding(step.name, step.title, Verdict.SKIPPED, detail=detail)
        else:
            finding = _try(step)
        if lacking or finding.verdict is Verdict.FAILED:
            missing[step.name] = step.title
        yield finding


def _try(step: Step) -> Finding:
    started = time.perf_counter()
    verdict, detail, remedy = Verdict.OK, "", ""
    try:
        detail = step.check()
    except NotApplicable as exc:
        verdict, detail = Verdict.SKIPPED, str(exc)
    except (StepFailed, UserFacingError) as exc:
        verdict, detail, remedy = Verdict.FAILED, str(exc), step.remedy
    except Exception as exc:
        logger.exception("The step %s of a check failed", step.name)
        verdict, remedy = Verdict.FAILED, step.remedy
        detail = f"Something went wrong inside Manta ({type(exc).__name__}): see the log."
    seconds = round(time.perf_counter() - started, 3)
    return Finding(step.name, step.title, verdict, seconds, detail, remedy)
