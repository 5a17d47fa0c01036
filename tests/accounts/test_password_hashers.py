"""Passwords hashed with Argon2id, and what is left of PBKDF2."""

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher, make_password
from django.test import Client

from accounts import password_hashers
from accounts.models import User
from accounts.password_hashers import Argon2idHasher
from manta.settings.accounts import PASSWORD_HASHERS
from tests.support.factories import PASSWORD, UserFactory

RUN: list[str] = []


class WatchedArgon2(Argon2idHasher):
    time_cost, memory_cost = 1, 8

    def encode(self, password, salt):
        RUN.append(self.algorithm)
        return super().encode(password, salt)

    def verify(self, password, encoded):
        RUN.append(self.algorithm)
        return super().verify(password, encoded)


class WatchedPBKDF2(PBKDF2PasswordHasher):
    iterations: ClassVar[int] = 1

    def encode(self, password, salt, iterations=None):
        RUN.append(self.algorithm)
        return super().encode(password, salt, iterations)


@pytest.fixture
def watched(settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.WatchedArgon2", f"{__name__}.WatchedPBKDF2"]
    RUN.clear()


def sign_in(email, password=PASSWORD):
    return Client().post("/accounts/login/", {"login": email, "password": password})


def with_hash(encoded):
    user = UserFactory()
    User.objects.filter(pk=user.pk).update(password=encoded)
    return user


def older():
    return with_hash(make_password(PASSWORD, hasher="pbkdf2_sha256"))


def refused(email):
    """Sign in with a wrong password; the algorithms that this has run."""
    RUN.clear()
    assert sign_in(email, "a wrong password").status_code == 200
    return sorted(RUN)


def test_a_password_is_hashed_with_the_parameters_of_owasp(settings):
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS

    assert make_password(PASSWORD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.django_db(transaction=True)
def test_an_older_hash_is_made_anew_at_a_sign_in(watched):
    user = older()

    assert sign_in(user.email).status_code == 302

    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$")
    assert sign_in(user.email).status_code == 302


@pytest.mark.django_db
def test_a_refusal_is_as_much_work_with_an_account_or_without(watched):
    current, without = UserFactory(), with_hash(make_password(None))
    addresses = [current.email, without.email, "nobody@example.com"]

    of_today = [refused(email) for email in addresses]
    addresses.append(older().email)
    beside_older = [refused(email) for email in addresses]

    assert of_today == [["argon2"]] * 3
    assert beside_older == [["argon2", "pbkdf2_sha256"]] * 4


@pytest.mark.parametrize("act", ["encode", "verify"])
def test_so_many_hashes_are_made_at_once(act):
    hasher = Argon2idHasher()
    encoded = hasher.encode(PASSWORD, "salt of a test")
    given = encoded if act == "verify" else "salt of a test"

    with ThreadPoolExecutor(1) as pool:
        for _ in range(password_hashers.MAX_AT_ONCE):
            password_hashers._places.acquire()
        try:
            waiting = pool.submit(getattr(hasher, act), PASSWORD, given)
            # Longer than the other would take if it did not wait.
            for _ in range(3):
                Argon2PasswordHasher().encode(PASSWORD, "salt of a test")
            assert not waiting.done()
        finally:
            password_hashers._places.release(password_hashers.MAX_AT_ONCE)
        assert waiting.result() == (True if act == "verify" else encoded)
