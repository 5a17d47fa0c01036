"""The terminals of a sandbox: which there are, and closing one for good."""

from typing import Any

from django.db import transaction

from sandboxes import audit, data_plane, errors
from sandboxes.models import Action, Phase, Sandbox, Terminal
from sandboxes.services.row_updates import touch
from sandboxes.services.sessions import ensure_session

MAX_TERMINALS = 12


def add_terminal(*, sandbox: Sandbox, name: str = "") -> Terminal:
    """Add a terminal; its shell starts at the first connection. Raises TooManyTerminals."""
    with transaction.atomic():
        # Two tabs that ask at once get two names, and never one too many.
        Sandbox.objects.select_for_update().get(pk=sandbox.pk)
        taken = list(Terminal.objects.for_sandbox(sandbox).values_list("name", flat=True))
        if len(taken) >= MAX_TERMINALS:
            raise errors.TooManyTerminals(
                f"You have {MAX_TERMINALS} terminals, which is the maximum. Close one first."
            )
        free = (f"Terminal {number}" for number in range(1, MAX_TERMINALS + 1))
        name = name or next(each for each in free if each not in taken)
        return Terminal.objects.create(sandbox=sandbox, name=name)


def find_terminal(*, sandbox: Sandbox, key: str) -> Terminal:
    """One of this sandbox's own. Raises NoTerminal."""
    found: Terminal | None = Terminal.objects.for_sandbox(sandbox).filter(key=key).first()
    if found is None:
        raise errors.NoTerminal("This terminal was closed. Open another one.")
    return found


def visit_terminal(*, sandbox: Sandbox, key: str, actor: Any) -> Terminal:
    """Find a terminal for a connection to it, and record the visit."""
    terminal = find_terminal(sandbox=sandbox, key=key)
    audit.record_visit(sandbox, Action.OPENED_TERMINAL, actor=actor, detail=terminal.name)
    return terminal


def close_terminal(*, sandbox: Sandbox, key: str, force: bool = False) -> None:
    """End its shell and forget it. Raises TerminalInUse unless forced, or a ProviderError."""
    terminal = find_terminal(sandbox=sandbox, key=key)
    if sandbox.phase == Phase.READY and sandbox.url:
        ensure_session(sandbox)
        touch(sandbox)
        program = data_plane.terminals.hang_up(sandbox.reach, terminal.key, force=force)
        if program:
            raise errors.TerminalInUse(f"{program} still runs in {terminal.name}.")
    terminal.delete()
