"""What a person with a second factor does, without a browser."""

from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP

from tests.support.factories import PASSWORD

SECRET = "JBSWY3DPEHPK3PXP"


def confirm_email(user):
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


def sign_in(client, user, password=PASSWORD):
    return client.post("/accounts/login/", {"login": user.email, "password": password})


def reauthenticate(client):
    return client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def give_totp(user):
    """An authenticator app, and recovery codes; returns these."""
    confirm_email(user)
    TOTP.activate(user, SECRET)
    return RecoveryCodes.activate(user).get_unused_codes()
