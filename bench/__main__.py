"""`make bench`: measure Manta and local_blaxel on this machine, and print tables.

`python -m bench --only create --only wake` measures some; `--write` puts what was measured into
docs/benchmarks.md, too.
"""

import argparse

from bench import agents, blaxel, manta, panels, report, rows, terminals, workspace

GROUPS = {
    "manta": manta.GROUP,
    "rows": rows.GROUP,
    "panels": panels.GROUP,
    "workspace": workspace.GROUP,
    "echoes": terminals.GROUP,
    "agents": agents.GROUP,
    **blaxel.GROUPS,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", action="append", choices=GROUPS, help="may be given again")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md, too")
    arguments = parser.parse_args()
    for name in arguments.only or GROUPS:
        report.say(f"bench: {name}")
        group, conditions = GROUPS[name], report.conditions()
        text = report.section(group.title, conditions, group.measure())
        print(text, flush=True)
        if arguments.write:
            report.write(group.title, text)


if __name__ == "__main__":
    main()
