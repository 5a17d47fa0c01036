"""What one process of the sandbox may take, so that a mistake in it stays small."""

from __future__ import annotations

import contextlib
import resource

# With less the agent itself could not go on.
LEAST_MEMORY_MB = 128
MAX_PROCESSES = 512
MAX_OPEN_FILES = 65536
MAX_FILE_BYTES = 4 * 2**30
# The kernel ends what the user started before the agent that answers for it.
OOM_SCORE = 500


def apply(memory_mb: int, *, is_isolated: bool) -> None:
    """Limit this process and everything it starts from now on.

    RLIMIT_DATA stands for the memory: RLIMIT_AS breaks node. Processes are counted for a whole
    user namespace, so outside of one the limit would count the person's own processes.
    """
    _lower(resource.RLIMIT_DATA, max(memory_mb, LEAST_MEMORY_MB) * 2**20)
    _lower(resource.RLIMIT_FSIZE, MAX_FILE_BYTES)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    if is_isolated:
        _lower(resource.RLIMIT_NPROC, MAX_PROCESSES)


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses some of them
        resource.setrlimit(kind, (value, value))


def make_killable_first(pid: int) -> None:
    """Offer this process, and its children, to the kernel before the agent."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "w") as score:
        score.write(str(OOM_SCORE))
