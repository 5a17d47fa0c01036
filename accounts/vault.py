"""Sealing what is kept in the database and has to be read again: AES-GCM, with keys from settings.

The first key seals, all open, so that keys can be changed. Text that was never sealed is returned
as it is, because processes of the release before may have written it during an upgrade.
"""

import base64
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_MARK = "sealed:1:"
_NONCE_BYTES = 12


class SealBroken(Exception):
    """Raised when a sealed text opens with none of the keys."""


def seal(text: str, *, context: str) -> str:
    """Return the text sealed; it opens under the same context only."""
    nonce = os.urandom(_NONCE_BYTES)
    cipher = _cipher(settings.VAULT_KEYS[0])
    sealed = nonce + cipher.encrypt(nonce, text.encode(), context.encode())
    return _MARK + base64.urlsafe_b64encode(sealed).decode()


def unseal(text: str, *, context: str) -> str:
    """Return what was sealed under that context. Raises SealBroken."""
    if not is_sealed(text):
        return text
    sealed = base64.urlsafe_b64decode(text.removeprefix(_MARK))
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    for key in settings.VAULT_KEYS:
        try:
            return _cipher(key).decrypt(nonce, rest, context.encode()).decode()
        except InvalidTag:
            continue
    raise SealBroken("No key opens it: put the one that sealed it back into MANTA_VAULT_KEY.")


def is_sealed(text: str) -> bool:
    return text.startswith(_MARK)


@lru_cache(maxsize=8)
def _cipher(key: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"manta vault")
    return AESGCM(derived.derive(key.encode()))
