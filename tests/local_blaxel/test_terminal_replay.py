"""A client that comes when the beginning of a terminal's text is lost is told its modes first."""

import re

import pytest

from local_blaxel.agent import terminal_replay
from local_blaxel.agent.terminal_replay import Modes, Replay
from tests.support.growth import BOUND, MORE, growth
from tests.support.terminal import opened

EDITOR = "\x1b[?1049h\x1b[?1h\x1b=\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?25l\x1b[2;20r\x1b[2 q"
MIXED = (
    f"plain{EDITOR}\x1b[1;38;5;200mtext\x1b]0;a title\x07\x1b(0qqq\x1b(B\x1b[22;48;2;1;2;3m"
    "\x1bP$q\x1b\\\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\\x1b[?1000l\x1b[4h\x0e"
    "\x1b[!p\x1b[0;7m\x1b7\x1b[?1049l\x1b>\x1b[?25h\x1b[r\x1b[m\x1bc\x1b[?7l\x1b[38:2::1:2:3mend"
)


def modes_after(text):
    modes = Modes()
    modes.read(text)
    return str(modes)


@pytest.mark.parametrize(
    ("text", "modes"),
    [
        ("plain text\r\n", ""),
        (EDITOR, EDITOR),
        ("\x1b[?1;2004h", "\x1b[?1h\x1b[?2004h"),
        ("\x1b[?1000h\x1b[?1002h\x1b[?1016h\x1b[?1006h", "\x1b[?1002h\x1b[?1006h"),
        ("\x1b[?1006h\x1b[?1015h", "\x1b[?1006h\x1b[?1015h"),
        ("\x1b[?1049h\x1b[1;24r\x1b[?1049l", ""),
        ("\x1b[2;9r\x1b[?1049h\x1b[1;24r\x1b[?47h", "\x1b[2;9r\x1b[?1049h\x1b[1;24r"),
        ("\x1b[2;9r\x1b[?1049h\x1b[1;24r\x1b[?1049l", "\x1b[2;9r"),
        ("\x1b=\x1b[?66l", ""),
        ("\x1b*0\x1bn", "\x1b*0\x1bn"),
        ("\x1bo\x0f", ""),
        ("\x1b[31m\x1b7\x1b[32m\x0e\x1b8", "\x1b[31m\x1b7"),
        ("\x1b[s\x1b[32m\x1b(0\x1b[u", ""),
        ("\x1b[31m\x1b[?1049h\x1b[32m\x1b[?1049l", "\x1b[31m\x1b7"),
        ("\x1b]8;;https://x.example\x1b\\link", "\x1b]8;;https://x.example\x07"),
        ("\x1b]8;id=1;https://x.example\x07link\x1b]8;;\x07", ""),
        ("\x1b[?1003h\x1b[?1000l", ""),
        ("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?25h\x1b[?7h\x1b[?1049l", ""),
        (f"{EDITOR}\x1bc", ""),
        ("\x1b[?1049h\x1b[?1h\x1b[4h\x1b[31m\x1b[!p", "\x1b[?1049h"),
        ("\x1b[1;31m\x1b[22;4m", "\x1b[31;4m"),
        ("\x1b[31m\x1b[42m\x1b[m\x1b[7m", "\x1b[7m"),
        ("\x1b[38;2;1;2;3;1m\x1b[48:5:9m", "\x1b[38;2;1;2;3;1;48:5:9m"),
        ("\x1b[>4;2m\x1b[?1r\x1b[?2026$p", ""),
        ("\x1b]0;[?1049h\x07\x1bP\x1b\\", ""),
        ("\x1b[?99999h" * 9, ""),
        ("\x1b(0\x1b)0\x0e\x1b(B", "\x1b)0\x0e"),
    ],
)
def test_the_modes_in_force_are_known(text, modes):
    assert modes_after(text) == modes


def test_wherever_the_text_is_cut_the_replay_leads_to_the_same_modes(monkeypatch):
    monkeypatch.setattr(terminal_replay, "REPLAY", 20)
    replay = Replay()

    wrong = []
    for end, character in enumerate(MIXED, 1):
        replay.write(character)
        if modes_after(replay.since(0)) != modes_after(MIXED[:end]):
            wrong.append(MIXED[:end])

    assert wrong == []


def test_no_sequence_is_torn_into_text(monkeypatch):
    monkeypatch.setattr(terminal_replay, "REPLAY", 20)
    replay = Replay()

    torn = []
    for end, character in enumerate(MIXED, 1):
        replay.write(character)
        shown = terminal_replay._SEQUENCE.sub("", replay.since(0))
        shown = terminal_replay._UNFINISHED.sub("", shown)
        if not set(shown) <= set("plaintextqqqlinkend"):
            torn.append((end, shown))

    assert torn == []


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("\x1b[1;24r", True),
        ("\x1b[1;24r" + "x" * 40, True),
        ("\x1b[?1049h\x1b[1;24r", True),
        ("\x1b[1;24r\x1b[r", False),
        ("\x1b[?1049h\x1b[1;24r\x1b[?1049l", False),
        ("\x1b[1;24r\x1b[", False),
        ("text", False),
    ],
)
def test_a_scroll_region_ends_with_the_size_of_the_terminal(monkeypatch, text, ends):
    """A page's terminal ends it at once, and one that comes later begins with the new size."""
    monkeypatch.setattr(terminal_replay, "REPLAY", 20)
    replay = Replay()
    replay.write(text)

    replay.resized()

    assert replay.since(0).endswith(terminal_replay.END_OF_REGION) == ends


def test_a_terminal_of_another_size_scrolls_as_a_whole(server, name):
    with opened(server, name, "shell=bash&sessionId=taller&rows=24") as terminal:
        terminal.type("printf '\\033[1;24r'; echo do''ne\r")
        terminal.see("done")

    with opened(server, name, "sessionId=taller&rows=50") as again:
        assert again.see("done\r\n")
        again.see(re.escape(terminal_replay.END_OF_REGION))


@pytest.mark.parametrize("text", ["\x1b]0;", "\x1b[1;", "\x1b", "\x1b[?1049h", "x\x1b]8;;\x07"])
def test_reading_costs_no_more_than_its_length(text):
    def work(size):
        modes = Modes()
        for _ in range(size):
            modes.read(text * 100)

    assert growth(work, 20, MORE * 20) < BOUND


def test_a_new_client_of_a_program_that_fills_the_screen_is_told_so(server, name):
    with opened(server, name, "shell=bash") as terminal:
        terminal.type("clear; printf '\\033[?1049h\\033[?1h\\033[?2004l'; seq 30000; echo do''ne\r")
        terminal.see("done")

    with opened(server, name) as again:
        again.see("done")

    assert again.shown.startswith("\x1b[0m")
    before, _, _ = again.shown.partition("\r\n")
    assert "\x1b[?1049h" in before
    assert "\x1b[?1h" in before


def test_a_program_that_fills_the_screen_draws_itself_anew_for_a_new_client(server, name):
    program = "trap 'echo dra\"wn\"-a\"new\"' WINCH; printf '\\033[?1049h'; seq 30000; echo rea''dy"
    with opened(server, name, "shell=bash&sessionId=redrawn") as terminal:
        terminal.type(f'bash -c "{program}; while sleep 0.05; do :; done"\r')
        terminal.see("ready")

    with opened(server, name, "sessionId=redrawn") as again:
        assert again.see("drawn-anew")
        again.type("\x03")
        again.type("stty size\r")
        assert again.see("24 80")
