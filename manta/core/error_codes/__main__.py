"""`python -m manta.core.error_codes` writes docs/errors.md."""

from manta.core.error_codes.catalog import PAGE, markdown

PAGE.write_text(markdown(), encoding="utf-8")
