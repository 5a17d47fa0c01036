"""Replacement of text in a file whose lines may end with LF, CRLF, or both.

Editors and models show no line ends, so that both count as the same in what is looked for. What is
searched for is no pattern: one of many line ends would take a time that is the square of a file.
"""

import re

_LINE_END = re.compile(r"\r?\n")


def replaced(before: str, old: str, new: str) -> tuple[str, int]:
    """Replace every occurrence; return how many there were.

    Lines that stay keep their ends, and new ones end as those in whose place they are. A caller
    who writes CR gets it to the letter.
    """
    if "\r" in old and old in before:
        return before.replace(old, new), before.count(old)
    is_literal = "\r" in new and "\r" not in old
    old_lines, new_lines = _LINE_END.split(old), _LINE_END.split(new)
    ends = _LINE_END.findall(before)
    if len(kinds := set(ends) or {"\n"}) == 1:
        (end,) = kinds
        wanted, put = end.join(old_lines), new if is_literal else end.join(new_lines)
        return before.replace(wanted, put), before.count(wanted)
    at, found = 0, []
    *pieces, last = before.replace("\r\n", "\n").split("\n".join(old_lines))
    for piece in pieces:
        count = piece.count("\n")
        found.append(_with_ends(piece.split("\n"), ends[at : at + count]))
        at += count
        own, at = ends[at : at + len(old_lines) - 1], at + len(old_lines) - 1
        following = (ends[at : at + 1] or ends[-1:])[0]
        found.append(new if is_literal else _joined(old_lines, own, new_lines, following))
    found.append(_with_ends(last.split("\n"), ends[at:]))
    return "".join(found), len(pieces)


def _joined(old: list[str], ends: list[str], new: list[str], following: str) -> str:
    """Join the new lines; those that begin or end the old ones, too, keep their ends."""
    wanted = len(new) - 1
    most = min(len(ends), wanted)
    first = next((at for at in range(most) if old[at] != new[at]), most)
    last = next((at for at in range(most - first) if old[-1 - at] != new[-1 - at]), most - first)
    replaced = ends[first : len(ends) - last]
    before = replaced or ends[:first]
    usual = before[-1] if before else (ends or [following])[0]
    count = wanted - first - last
    between = [*replaced[:count], *[usual] * (count - len(replaced))]
    return _with_ends(new, [*ends[:first], *between, *ends[len(ends) - last :]])


def _with_ends(lines: list[str], ends: list[str]) -> str:
    return "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))
