import os

import pytest

from bench import report
from bench.report import Group, Table


@pytest.fixture
def page(tmp_path, monkeypatch):
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n\n## Ports\n\nOld.\n\n## Files\n\nOld, too.\n")
    monkeypatch.setattr(report, "PAGE", page)
    return page


def parse(monkeypatch, load, *given):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    return report.Arguments(prog="bench").parse_args(given)


def test_figures_of_a_busy_machine_are_not_written(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        parse(monkeypatch, 1.6, "--write")

    assert "the load is 1.6" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("load", "given"), [(1.4, ["--write"]), (9.0, ["--write", "--busy"]), (9.0, [])]
)
def test_other_figures_are_taken(monkeypatch, load, given):
    assert parse(monkeypatch, load, *given).write == ("--write" in given)


def test_a_section_takes_the_place_of_the_old_one(page):
    group = Group("Ports", lambda: [Table(("What", "p50"), [("A request", "1 ms")])])

    report.publish(group, "Today.", write=True)

    said = page.read_text()
    assert "Today.\n\n| What      | p50  |" in said
    assert said.count("## Ports") == 1
    assert "Old.\n" not in said
    assert said.endswith("\n\n## Files\n\nOld, too.\n")
