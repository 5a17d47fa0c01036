"""Values that an address carries, read with care."""


def whole_number(text: str) -> int | None:
    """The number that a parameter says, which fits into a database; None for anything else.

    To read one of thousands of digits is an error of its own in Python.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
