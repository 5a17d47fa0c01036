"""People sign in and act while processes are killed at random; then everything must agree.

`python -m chaos --minutes 15 --people 6 --seed 7` prints what it did and what it found, and ends
with status 1 at the first mismatch. `--plant orphan` or `--plant lost-file` plants a fault, which
must be found.
"""

import argparse
import random
import sys
import time
from collections import Counter

from chaos import checks, planted
from chaos.journal import Journal, Mismatch
from chaos.killer import Killer
from chaos.people import Crowd
from tests.support.manta_process import Parts
from tests.support.prepared_state import prepare
from tests.support.supervisor import new_state_dir


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--plant", choices=planted.FAULTS)
    arguments = parser.parse_args()
    journal = Journal()
    journal.say(f"{arguments.minutes:g} minutes, {arguments.people} people, seed {arguments.seed}")
    try:
        with new_state_dir() as state_dir:
            prepare(state_dir)
            with Parts(state_dir) as parts:
                run(parts, journal, arguments)
    except Mismatch as mismatch:
        journal.summary()
        journal.say(f"MISMATCH: {mismatch}")
        return 1
    journal.summary()
    journal.say("Every row matches its sandbox: no orphans, no lost files.")
    return 0


def run(parts: Parts, journal: Journal, arguments: argparse.Namespace) -> None:
    deadline = time.monotonic() + 60 * arguments.minutes
    with Crowd(parts, journal, arguments.people, arguments.seed) as crowd:
        killer = Killer(parts, journal, random.Random(arguments.seed))  # noqa: S311
        while time.monotonic() < deadline:
            killer.strike()
            crowd.complain()
        parts.mend()
    crowd.complain()
    journal.say(
        "The load has ended, and all processes run again. Waiting until everything has settled."
    )
    if arguments.plant:
        planted.FAULTS[arguments.plant](parts, crowd)
    counted: Counter[str] = checks.compare(parts, crowd)
    journal.say(f"Compared {', '.join(f'{n} {what}' for what, n in counted.items())}.")


if __name__ == "__main__":
    sys.exit(main())
