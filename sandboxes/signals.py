"""Signal handlers for changes of accounts."""

from typing import Any

from allauth.account.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver

from accounts.hooks import password_set_by_admin, pre_delete_account
from accounts.models import User
from sandboxes import audit, services
from sandboxes.models import Action


# allauth's, not Django's: it fires after every step of the sign-in, a second factor too.
@receiver(user_logged_in)
def ensure_sandbox_at_sign_in(user: User, **kwargs: Any) -> None:
    # robust: a failure here is logged, and the sign-in goes on.
    transaction.on_commit(lambda: services.provisioning.ensure_sandbox(user=user), robust=True)


@receiver(pre_delete_account)
def delete_sandboxes(user: User, actor: Any, **kwargs: Any) -> None:
    for sandbox in user.sandboxes.all():
        services.deletion.delete_sandbox(sandbox=sandbox, actor=actor)


@receiver(password_set_by_admin)
def record_password(user: User, actor: Any, **kwargs: Any) -> None:
    for sandbox in user.sandboxes.all():
        audit.record(sandbox, Action.PASSWORD_SET, actor=actor)
