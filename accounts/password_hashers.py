"""Hashing of passwords: Argon2id with the parameters of OWASP's Password Storage Cheat Sheet.

It resists guessing on graphics cards, which PBKDF2 does not, at a tenth of the time for a sign-in.
"""

import threading

from allauth.account.internal.userkit import filter_users_by_email
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password

from accounts.models import User

# A hash takes 19 MiB of memory: that many at once, in each process, however many sign in.
MAX_AT_ONCE = 4
_PBKDF2 = "pbkdf2_sha256"
_places = threading.BoundedSemaphore(MAX_AT_ONCE)


class Argon2idHasher(Argon2PasswordHasher):
    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _places:
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with _places:
            return bool(super().verify(password, encoded))


def even_out(email: str, password: str) -> None:
    """Make a refused sign-in take the same for every address, with an account or without.

    A hash that PBKDF2 made takes ten times as long to check as one of today. As long as there are
    any, each refusal does both.
    """
    users = filter_users_by_email(email, prefer_verified=True, for_login=True)
    if any(user.password.startswith(f"{_PBKDF2}$") for user in users):
        make_password(password)
    elif User.objects.filter(password__startswith=f"{_PBKDF2}$").exists():
        make_password(password, hasher=_PBKDF2)
