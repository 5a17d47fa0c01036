"""What allauth asks of Manta where its own answer would not do."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        """Only into an account that has shown that the address is its own, too.

        Anybody can sign up with another's address, and wait there for them.
        """
        confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True)
        return confirmed.exists() and bool(super().can_authenticate_by_email(login, email))
