"""A sign-in is what makes a sandbox."""

from typing import Any

from allauth.account.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver

from accounts.models import User
from sandboxes import services


# allauth's, not Django's: it fires after every step of the sign-in, a second factor too.
@receiver(user_logged_in)
def ensure_sandbox_at_sign_in(user: User, **kwargs: Any) -> None:
    # robust: a failure here is logged, and the sign-in goes on.
    transaction.on_commit(lambda: services.ensure_sandbox(user=user), robust=True)
