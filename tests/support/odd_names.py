"""Names of files that are not UTF-8, or look like the encoding of one."""

FOLDER = "/blaxel/caf%E9"
# A name as bytes, and as Manta shows it.
SHOWN = [
    (b"caf\xe9.txt", "caf%E9.txt"),
    (b"caf\xe8.txt", "caf%E8.txt"),
    (b"caf%E9.txt", "caf%25E9.txt"),
    (b"caf%25E9.txt", "caf%2525E9.txt"),
    (b"caf%C3%A9.txt", "caf%C3%A9.txt"),
    (b"\xff 100%\n", "%FF 100%25\n"),
    (b"100%", "100%"),
    (b"%2F", "%2F"),
    (b"\xe9%2F..", "%E9%252F.."),
    ("é%".encode(), "é%"),
    ("\ufffd".encode(), "\ufffd"),
]


def _word(name: bytes) -> str:
    """A shell's word for bytes."""
    return "$(printf '%b.' '" + "".join(f"\\0{byte:03o}" for byte in name) + "')"


def making() -> str:
    """A command that makes files of these names in the folder, each with its number in SHOWN."""
    lines = [f'd={_word(b"/blaxel/caf" + bytes([0xE9]))}; d=${{d%.}}; mkdir -p "$d"']
    for number, (name, _) in enumerate(SHOWN):
        lines.append(f'n={_word(name)}; printf {number} > "$d/${{n%.}}"')
    return "; ".join(lines)
