from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.forms.models import model_to_dict

from accounts.models import User
from sandboxes.models import Sandbox
from tests.support.factories import SandboxFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_ones_own_sandbox_is_read_whole(alices_sandbox, django_assert_num_queries):
    fields = {"ttl": timedelta(hours=7), "drift": {"memory_mb": "2048"}, "attempts": 3}
    Sandbox.objects.filter(pk=alices_sandbox.pk).update(**fields)

    with django_assert_num_queries(1):
        own = Sandbox.objects.get_for_user(alices_sandbox.owner)
        read = model_to_dict(own)

    assert read == model_to_dict(Sandbox.objects.get(pk=alices_sandbox.pk))
    assert fields.items() <= read.items()
    own.save()


def test_only_ones_own_sandbox_is_read(alices_sandbox):
    alice, stranger = alices_sandbox.owner, UserFactory()
    SandboxFactory(owner=alice, name="another")
    User.objects.filter(pk=alice.pk).update(sandbox=alices_sandbox)
    alice.refresh_from_db()

    assert Sandbox.objects.get_for_user(alice) == alices_sandbox
    assert Sandbox.objects.get_for_user(stranger) is None
    assert Sandbox.objects.get_for_user(User(pk=stranger.pk, sandbox=alices_sandbox)) is None
    assert Sandbox.objects.get_for_user(AnonymousUser()) is None
