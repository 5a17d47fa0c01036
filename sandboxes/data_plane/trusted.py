"""Commands that Manta runs in a sandbox for itself, where people and agents can write files.

Programs, libraries, start-up files and configuration are found nowhere that they write: the shell
is named by its path, and what it runs begins with an empty environment and the system's PATH. A
sandbox whose people can write there, too, may put other programs in the place of both, and does so
where it knows the mark.
"""

import shlex
from pathlib import Path
from typing import Any

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# For the shell that the sandbox's server starts, before the environment is emptied. The first asks
# local_blaxel for programs, libraries and a PATH that nothing in the sandbox can replace.
_FIRST_SHELL = {
    "LOCAL_BLAXEL_APART": "1",
    "SHELL": "/bin/sh",
    "SHELL_ARGS": "-c",
    "PATH": PATH,
    "LC_ALL": "C",
    **dict.fromkeys(("ENV", "BASH_ENV", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"), ""),
}
_CHOSEN = 'PATH="$PATH" LD_LIBRARY_PATH="$LD_LIBRARY_PATH"'
_KEPT = {"LC_ALL": "C", "HOME": "/nonexistent", "OPENSSL_CONF": "/dev/null"}
# A repository's own configuration names programs, too: none of them is started.
GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "GIT_SSH_COMMAND": "false",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
}
_SCRIPTS = Path(__file__).parent / "scripts"


def read_script(name: str) -> str:
    return (_SCRIPTS / name).read_text()


def command(argv: list[str], values: dict[str, str] | None = None) -> dict[str, Any]:
    """The fields of a process that runs this program with these variables and no others."""
    given = {**_KEPT, **(values or {})}
    variables = (f"{name}={text}" for name, text in given.items())
    before, words = "", []
    for word in [*variables, *argv]:
        if word.isascii() or _is_utf8(word):
            words.append(shlex.quote(word))
            continue
        variable = f"word{len(words)}"
        before += f"{variable}=$(printf '%bx' '{_octal(word)}'); {variable}=${{{variable}%x}}; "
        words.append(f'"${variable}"')
    return {
        "command": f"{before}exec env -i {_CHOSEN} {' '.join(words)}",
        "env": dict(_FIRST_SHELL),
    }


def _is_utf8(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _octal(word: str) -> str:
    """A raw path for printf: JSON can't carry its bytes to a sandbox."""
    return "".join(f"\\0{byte:03o}" for byte in word.encode("utf-8", "surrogateescape"))


def script(text: str, values: dict[str, str] | None = None) -> dict[str, Any]:
    """The fields of a process that runs a script of sh with these variables and no others."""
    return command(["sh", "-c", text], values)
