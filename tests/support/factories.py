from datetime import timedelta

import factory
from django.utils import timezone

from accounts import tokens
from accounts.models import PersonalToken, User
from sandboxes.models import Phase, Sandbox, Step
from sandboxes.models.reach import LIFETIME

PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence("user{}@example.com".format)
    password = factory.django.Password(PASSWORD)


class SandboxFactory(factory.django.DjangoModelFactory):
    """A sandbox that was made and was seen awake a moment ago; its user's own."""

    class Meta:
        model = Sandbox
        skip_postgeneration_save = True

    owner = factory.SubFactory(UserFactory)
    name = factory.LazyAttribute(lambda sandbox: f"user-{sandbox.owner.pk}")
    image = "blaxel/prod-base:latest"
    memory_mb = 4096
    region = "us-pdx-1"
    ttl = timedelta(hours=24)
    labels = factory.LazyAttribute(lambda sandbox: {"manta-owner": str(sandbox.owner.pk)})
    phase = Phase.READY
    step = Step.OPENING
    provider_status = "DEPLOYED"
    provider_state = "RUNNING"
    known_status = "active"
    url = factory.LazyAttribute(lambda s: f"http://127.0.0.1:9/manta/sandboxes/{s.name}")
    # Unsealed, as text is that was never sealed.
    data_url = factory.SelfAttribute("url")
    data_token = "a-token-of-a-test"
    data_token_until = factory.LazyFunction(lambda: timezone.now() + LIFETIME)
    provider_created_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=24))
    checked_at = factory.LazyFunction(timezone.now)
    starter_written_at = factory.LazyFunction(timezone.now)
    starter_checked_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def link(self, create, extracted, **kwargs):
        User.objects.filter(pk=self.owner.pk).update(sandbox=self)
        self.owner.sandbox = self


def pending(**fields):
    """Fields of a sandbox that has been asked for and not been looked at yet."""
    now = timezone.now()
    return {
        "phase": Phase.PENDING,
        "step": Step.QUEUED,
        "provider_status": "",
        "provider_state": "",
        "known_status": "",
        "url": "",
        "data_token": "",
        "data_token_until": None,
        "provider_created_at": None,
        "expires_at": None,
        "checked_at": None,
        "starter_written_at": None,
        "starter_checked_at": None,
        "next_attempt_at": now,
        "provision_deadline": now + timedelta(seconds=120),
        **fields,
    }


def make_token(user, *scopes, **fields):
    """A personal token of a user's, as its text; further fields are written afterwards."""
    lifetime = PersonalToken.LIFETIMES[1]
    token, raw = tokens.mint(
        user=user, name="CI", scopes=scopes, lifetime=lifetime, key=tokens.new_key()
    )
    if fields:
        PersonalToken.objects.filter(pk=token.pk).update(**fields)
    return raw
