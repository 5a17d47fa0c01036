"""`make bench`: measure Manta and local_blaxel on this machine, and print tables.

`python -m bench --only create --only wake` measures some; `--write` puts what was measured into
docs/benchmarks.md, too.
"""

from bench import agents, blaxel, manta, outages, panels, report, rows, terminals, workspace

GROUPS = {
    "manta": manta.GROUP,
    "rows": rows.GROUP,
    "panels": panels.GROUP,
    "workspace": workspace.GROUP,
    "echoes": terminals.GROUP,
    "agents": agents.GROUP,
    "outages": outages.GROUP,
    **blaxel.GROUPS,
}


def main(given: list[str] | None = None) -> None:
    parser = report.Arguments(prog="python -m bench")
    parser.add_argument("--only", action="append", choices=GROUPS, help="may be given again")
    arguments = parser.parse_args(given)
    conditions = report.conditions()
    for name in arguments.only or GROUPS:
        report.say(f"bench: {name}")
        report.publish(GROUPS[name], conditions, write=arguments.write)


if __name__ == "__main__":
    main()
