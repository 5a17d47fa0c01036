"""Input of a terminal while the program in front does not read, or reads slowly."""

import hashlib

import pytest

from tests.support.terminal import opened

LINES = "".join(f"line {number:04} of what was pasted\r" for number in range(1200))


def digest(text):
    return hashlib.md5(text.replace("\r", "\n").encode(), usedforsecurity=False).hexdigest()


def ends_as(terminal, text):
    """End the program's input; it has kept exactly this text in the file "pasted"."""
    terminal.type("\x04")
    terminal.type("md5sum pasted\r")
    assert terminal.see(r"(\w{32})  pasted")[1] == digest(text)


@pytest.mark.exhaustive
def test_what_is_pasted_while_a_program_reads_nothing_waits_for_the_next(server, name):
    with opened(server, name, "shell=bash") as terminal:
        terminal.type("echo sta''rted; sleep 8; cat > pasted\r")
        terminal.see("started")

        terminal.type(LINES[:32_000])
        terminal.type(LINES[32_000:])

        ends_as(terminal, LINES)


@pytest.mark.parametrize("length", [4_000, 4_094, 4_095, 4_096, 8_000, 30_000])
def test_a_line_longer_than_the_kernel_keeps_arrives_whole(server, name, length):
    line = "é" + "x" * (length - 3) + "\r"
    with opened(server, name, "shell=sh") as terminal:
        terminal.type("echo sta''rted; cat > pasted\r")
        terminal.see("started")

        terminal.type(line)

        ends_as(terminal, line)


def test_ctrl_c_overtakes_what_a_program_does_not_read(server, name):
    with opened(server, name, "shell=bash") as terminal:
        terminal.type("echo sta''rted; sleep 1000\r")
        terminal.see("started")
        terminal.type("touch typed-ahead\r" * 3000)

        terminal.type("\x03")
        terminal.type("echo status=$?; ls typed-ahead\r")

        assert terminal.see(r"status=\d+")[0] == "status=130"
        assert terminal.see("No such file")


def test_a_terminal_can_be_resized_while_its_input_waits(server, name):
    with opened(server, name, "shell=bash") as terminal:
        terminal.type("echo sta''rted; sleep 1000\r")
        terminal.see("started")
        terminal.type(LINES)

        terminal.send(type="resize", cols=111, rows=44)
        terminal.type("\x03")
        terminal.type("stty size\r")

        assert terminal.see("44 111")


def test_backspace_removes_a_whole_character(server, name):
    with opened(server, name, "shell=sh") as terminal:
        terminal.type("echo sta''rted; cat > pasted\r")
        terminal.see("started")

        terminal.type("é\x7f€\x7fx\r")

        ends_as(terminal, "x\r")


def test_programs_know_that_they_may_use_all_colours(server, name):
    with opened(server, name) as terminal:
        terminal.type("echo colours=$COLORTERM\r")

        assert terminal.see(r"colours=truecolor")
