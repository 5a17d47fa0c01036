"""`make bench`: measure a whole Manta on this machine, and print one table.

`python -m bench --write` puts it into docs/benchmarks.md, too.
"""

import sys
from pathlib import Path

from bench import measure, report
from tests.e2e.manta import Manta
from tests.e2e.visitor import Visitor
from tests.scripts.supervisor import new_state_dir

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

# Asleep as soon as possible, so that many wakes take little time.
VARIABLES = {"LOCAL_BLAXEL_STANDBY_AFTER": "0.2"}


def main() -> None:
    conditions = report.conditions()
    with new_state_dir() as state_dir, Manta(state_dir, **VARIABLES) as manta:
        rows = measured(manta)
    text = f"{conditions}\n\n{report.markdown(rows)}\n"
    print(text)
    if "--write" in sys.argv:
        heading, _, _ = PAGE.read_text().partition("## Measured\n")
        PAGE.write_text(f"{heading}## Measured\n\n{text}")


def measured(manta: Manta) -> list[report.Row]:
    with Visitor(manta.url) as visitor:
        visitor.sign_up()
        name = visitor.until_ready()
        report.say("bench: sign-up and sign-in")
        rows = measure.sign_up(manta) + measure.sign_in(visitor)
        report.say("bench: pages")
        rows += measure.pages(manta, visitor)
        report.say("bench: sandboxes")
        rows += measure.creates(manta) + measure.wakes(manta, name)
        return rows + measure.weights(manta)


if __name__ == "__main__":
    main()
