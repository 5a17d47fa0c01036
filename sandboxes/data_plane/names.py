"""Names of files as Manta shows and takes them: always text, whatever bytes they are made of.

Linux keeps a name as bytes. One that is UTF-8 is that text. Any other is percent-encoded, with % as
%25: `caf%E9.txt`. A text that looks like such an encoding has its % encoded, too, so that two files
never have one name. `told` makes this of a raw path, in which bytes that are not UTF-8 are lone
surrogates, as Python's file system encoding has them; `raw` turns it back.
"""

import re
from urllib.parse import unquote

_LONE, _BYTE = re.compile("[\ud800-\udfff]"), re.compile("[\udc80-\udcff]")
_ENCODED_PERCENT = re.compile("%((?:25)*)")
# What Blaxel's server answers in place of bytes that are not UTF-8.
LOST = "\N{REPLACEMENT CHARACTER}"


def is_raw(path: str) -> bool:
    """Tell whether it has bytes in it that are not UTF-8."""
    return bool(_BYTE.search(path))


def told(path: str) -> str:
    """Return a raw path, name by name, as Manta shows it."""
    if "%" not in path and not _LONE.search(path):
        return path
    return "/".join(map(_told, path.split("/")))


def raw(path: str) -> str:
    """Return the raw path for a path as Manta shows it."""
    if "%" not in path:
        return path
    return "/".join(_decoded(name) if _is_encoded(name) else name for name in path.split("/"))


def without_lone(text: str) -> str:
    """Return a text from a sandbox with bytes that are not UTF-8 percent-encoded."""
    return _LONE.sub(_percent, text)


def text(value: object) -> str:
    """Return what a sandbox says as a text that answers, pages and databases can have."""
    return without_lone(str(value or "")).replace("\0", LOST)


def lost(path: str) -> str:
    """Return a raw path as Blaxel's server answers it in JSON."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _told(name: str) -> str:
    return _encoded(name) if _LONE.search(name) or _is_encoded(name) else name


def _encoded(name: str) -> str:
    return _LONE.sub(_percent, name.replace("%", "%25"))


def _percent(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"%{number - 0xDC00:02X}" if 0xDC80 <= number <= 0xDCFF else LOST


def _decoded(name: str) -> str:
    return unquote(name, errors="surrogateescape")


def _is_encoded(name: str) -> bool:
    """Tell whether it is how a name is shown that is not UTF-8, or a name that looks like that.

    Each encoding of such a text puts one more 25 behind every %: the fewest are how often it was.
    """
    times = min((len(run) // 2 for run in _ENCODED_PERCENT.findall(name)), default=0)
    innermost = name.replace("%" + "25" * times, "%")
    found = _decoded(innermost)
    is_name = bool(_LONE.search(found)) and "/" not in found and "\0" not in found
    return is_name and _encoded(found) == innermost
