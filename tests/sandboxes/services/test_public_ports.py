"""Ports that are public: made so, shown, ended, and never forgotten."""

from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from sandboxes import control_plane, errors, services
from sandboxes.models import Action, PublicPort, Sandbox, SandboxEvent
from sandboxes.reconciler.public_ports import close_overdue
from sandboxes.reconciler.reconcile import reconcile

HOUR = timedelta(hours=1)


@pytest.fixture
def public(serving):
    return services.ports.make_public(sandbox=serving, port=3000, lasts=HOUR, actor=serving.owner)


def lets_in(row):
    return httpx.get(row.url).status_code == 200


def of_record(action):
    return list(SandboxEvent.objects.filter(action=action).values_list("actor_kind", "detail"))


def test_a_public_port_lets_in_who_has_nothing_but_its_address(serving, public):
    assert lets_in(public)
    assert of_record(Action.MADE_PUBLIC) == [
        ("user", f"3000, until {public.until:%-d %b %H:%M} UTC")
    ]


def test_the_provider_ends_it_by_itself_when_no_worker_runs(serving, public):
    (preview,) = control_plane.previews.list_previews(serving.name)

    assert (preview.public, preview.expires_at) == (True, public.until)


def test_without_an_end_it_is_public_until_it_is_made_private(serving):
    row = services.ports.make_public(sandbox=serving, port=3000, lasts=None, actor=serving.owner)
    close_overdue()

    assert lets_in(row)
    assert control_plane.previews.list_previews(serving.name)[0].expires_at is None


def test_made_private_it_lets_in_nobody_and_keeps_its_owner(serving, public):
    services.ports.make_private(sandbox=serving, port=3000, actor=serving.owner)

    assert httpx.get(public.url).status_code == 401
    assert not PublicPort.objects.exists()
    assert of_record(Action.MADE_PRIVATE) == [("user", "3000")]
    assert httpx.get(
        services.ports.open_port(sandbox=serving, port=3000, actor=serving.owner)
    ).is_success


def test_the_worker_makes_it_private_when_its_time_is_over(serving, public):
    PublicPort.objects.update(until=timezone.now())

    close_overdue()
    close_overdue()

    assert httpx.get(public.url).status_code == 401
    assert not PublicPort.objects.exists()
    assert of_record(Action.MADE_PRIVATE) == [("job", "3000")]


def test_one_that_may_have_been_made_public_without_an_answer_is_made_private(serving, monkeypatch):
    publish = control_plane.previews.publish_preview

    def without_an_answer(*args):
        publish(*args)
        raise errors.ProviderUnavailable("It does not answer.")

    monkeypatch.setattr(control_plane.previews, "publish_preview", without_an_answer)
    with pytest.raises(errors.ProviderUnavailable):
        services.ports.make_public(sandbox=serving, port=3000, lasts=None, actor=serving.owner)
    assert control_plane.previews.list_previews(serving.name)[0].public

    close_overdue()

    assert not control_plane.previews.list_previews(serving.name)[0].public
    assert not PublicPort.objects.exists()


def test_a_provider_that_is_away_does_not_make_it_forgotten(serving, public, monkeypatch):
    def away(*args):
        raise errors.ProviderUnavailable("It is away.")

    with monkeypatch.context() as patched:
        patched.setattr(control_plane.previews, "unpublish_preview", away)
        with pytest.raises(errors.ProviderUnavailable):
            services.ports.make_private(sandbox=serving, port=3000, actor=serving.owner)
        close_overdue()
    assert PublicPort.objects.due_to_close(timezone.now()).exists()

    close_overdue()

    assert httpx.get(public.url).status_code == 401
    assert not PublicPort.objects.exists()


def test_one_made_public_anew_meanwhile_stays_public(serving, public, monkeypatch):
    unpublish = control_plane.previews.unpublish_preview
    PublicPort.objects.update(until=timezone.now())

    def meanwhile(*args):
        unpublish(*args)
        services.ports.make_public(sandbox=serving, port=3000, lasts=None, actor=serving.owner)
        unpublish(*args)

    monkeypatch.setattr(control_plane.previews, "unpublish_preview", meanwhile)
    close_overdue()

    assert control_plane.previews.list_previews(serving.name)[0].public
    assert PublicPort.objects.current().exists()


def test_a_reset_leaves_nothing_public(serving, public):
    services.deletion.reset_sandbox(sandbox=serving, actor=serving.owner)
    for _ in range(8):
        Sandbox.objects.update(next_attempt_at=timezone.now())
        reconcile(serving.pk)
    close_overdue()

    assert not PublicPort.objects.exists()
    assert not any(preview.public for preview in control_plane.previews.list_previews(serving.name))


@pytest.mark.parametrize("port", [80, 443, 8080])
def test_reserved_ports_are_never_public(alices_sandbox, port):
    with pytest.raises(errors.PortReserved):
        services.ports.make_public(
            sandbox=alices_sandbox, port=port, lasts=HOUR, actor=alices_sandbox.owner
        )
    assert not PublicPort.objects.exists()


def test_what_was_made_public_at_the_provider_is_found(serving):
    control_plane.previews.publish_preview(serving.name, 3000, None)

    services.ports.list_previews(sandbox=serving)

    assert PublicPort.objects.current().get().port == 3000
