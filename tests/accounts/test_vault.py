"""Secrets of second factors are sealed in the database."""

import importlib
import json

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import transaction

from accounts import vault
from tests.support.second_factors import SECRET, give_totp, sign_in
from tests.support.totp import code_of

migration = importlib.import_module("accounts.migrations.0008_seal_second_factors")


def stored():
    return json.dumps(list(Authenticator.objects.order_by("pk").values_list("data", flat=True)))


def test_neither_a_secret_nor_a_recovery_code_is_in_the_database(alice):
    codes = give_totp(alice)

    assert SECRET not in stored()
    assert stored().count("sealed:1:") == 2
    assert not any(code in stored() for code in codes)


@pytest.mark.django_db(transaction=True)
def test_secrets_of_before_are_sealed_once_and_go_on_working(client, alice):
    give_totp(alice)
    with transaction.atomic():  # as every migration
        migration.unseal(apps, None)
    assert SECRET in stored()

    with transaction.atomic():
        migration.seal(apps, None)
        once = stored()
        migration.seal(apps, None)

    assert SECRET not in once
    assert stored() == once
    sign_in(client, alice)
    assert (
        client.post("/accounts/2fa/authenticate/", {"code": code_of(SECRET)}).url == "/workspace/"
    )


def test_what_an_older_process_wrote_meanwhile_is_read(alice):
    codes = give_totp(alice)
    migration.unseal(apps, None)

    factor = Authenticator.objects.get(type="recovery_codes").wrap()
    assert factor.get_unused_codes() == codes


def test_the_first_key_seals_and_all_open(settings):
    settings.VAULT_KEYS = ["old"]
    old = vault.seal("text", context="a")

    settings.VAULT_KEYS = ["new", "old"]
    new = vault.seal("text", context="a")
    assert vault.unseal(old, context="a") == vault.unseal(new, context="a") == "text"

    settings.VAULT_KEYS = ["new"]
    assert vault.unseal(new, context="a") == "text"
    with pytest.raises(vault.SealBroken, match="MANTA_VAULT_KEY"):
        vault.unseal(old, context="a")


def test_a_sealed_text_opens_nowhere_else_and_never_looks_the_same():
    sealed = vault.seal("text", context="a")

    assert sealed != vault.seal("text", context="a")
    with pytest.raises(vault.SealBroken):
        vault.unseal(sealed, context="b")
    with pytest.raises(vault.SealBroken):
        vault.unseal(sealed[:-6] + "AAAAA=", context="a")
