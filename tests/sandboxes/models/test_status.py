import pytest

from sandboxes.models.status import Status, from_provider
from tests.support.factories import SandboxFactory


@pytest.mark.parametrize(
    ("provider_status", "state", "expected"),
    [
        ("DEPLOYED", "RUNNING", "active"),
        ("DEPLOYED", "STANDBY", "standby"),
        ("DEPLOYED", "", "active"),
        ("DEPLOYED", "HIBERNATING", "unknown"),
        ("UPLOADING", "", "provisioning"),
        ("BUILDING", "", "provisioning"),
        ("BUILT", "", "provisioning"),
        ("DEPLOYING", "", "provisioning"),
        ("UNARCHIVING", "", "provisioning"),
        ("DEACTIVATING", "", "stopped"),
        ("DEACTIVATED", "", "stopped"),
        ("ARCHIVING", "", "stopped"),
        ("ARCHIVED", "", "stopped"),
        ("DELETING", "", "stopped"),
        ("TERMINATED", "", "stopped"),
        ("FAILED", "", "failed"),
        ("SOMETHING_NEW", "RUNNING", "unknown"),
        ("", "", "unknown"),
        ("", "RUNNING", "unknown"),
    ],
)
def test_every_status_of_the_provider_has_one_meaning(provider_status, state, expected):
    assert from_provider(provider_status, state) == expected


def test_an_unseen_status_is_unknown_and_programs_get_the_last_known_one(db):
    sandbox = SandboxFactory(provider_status="SOMETHING_NEW", known_status="standby")

    assert sandbox.status is Status.UNKNOWN
    assert sandbox.last_known_status is Status.STANDBY
