"""The address of a page in a preview. Whatever path is asked for, the host stays the preview's."""

import re
from urllib.parse import quote, unquote, urlsplit, urlunsplit

_TOKEN = "bl_preview_token"  # noqa: S105 - a parameter's name
_MAX_LENGTH = 2000
_SAFE = "/%:@!$&'()*+,;=~-._?"


def with_path(address: str, asked: str) -> str:
    """The page at a path, which may have a query and a fragment, below a preview's address."""
    path, query, fragment = _parts(asked.strip()[:_MAX_LENGTH])
    parts = urlsplit(address)
    whole = parts.path.rstrip("/") + path
    return urlunsplit(parts._replace(path=whole, query=query, fragment=fragment))


def with_token(address: str, token: str) -> str:
    parts = urlsplit(address)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}{_TOKEN}={quote(token)}"))


def _parts(asked: str) -> tuple[str, str, str]:
    rest, _, fragment = asked.partition("#")
    path, _, query = rest.partition("?")
    # Two slashes in a row would name another host to a server that redirects by them.
    path = re.sub(r"[/\\]+", "/", f"/{path}")
    pairs = [pair for pair in query.split("&") if unquote(pair.partition("=")[0]) != _TOKEN]
    kept = [_without_dots(quote(path, safe=_SAFE.replace("?", ""))), quote("&".join(pairs), _SAFE)]
    return kept[0], kept[1], quote(fragment, safe=_SAFE)


def _without_dots(path: str) -> str:
    """The path as a browser would go it, so that it stays below the preview's address."""
    names: list[str] = []
    for name in path.split("/")[1:]:
        plain = name.lower().replace("%2e", ".")
        if plain == "..":
            names = names[:-1]
        elif plain != ".":
            names.append(name)
    return "/" + "/".join(names)
