"""Lifecycle policies: what each asks for, together and alone."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.local_blaxel import new_name
from tests.support.waiting import wait_until

DAY = 86_400
# Seconds that pass between a create and a look on a machine that has other work.
ROUGHLY = 30


def policy(kind, value):
    return {"type": kind, "value": value, "action": "delete"}


@pytest.fixture
def lasting(server):
    """Make a sandbox with these policies and say in how many seconds it ends."""

    def make(*policies, **runtime):
        lifecycle = {"expirationPolicies": list(policies)}
        name = server.create(lifecycle=lifecycle, runtime=runtime)
        expires_in = server.get(name)["expiresIn"]
        server.http.delete(f"/v0/sandboxes/{name}")
        return expires_in

    return make


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("value", "seconds"),
    [("90s", 90), ("5m", 300), ("36h", 1.5 * DAY), ("7d", 7 * DAY), ("2w", 14 * DAY)],
)
def test_a_ttl_has_every_unit(lasting, value, seconds):
    assert lasting(ttl=value) == pytest.approx(seconds, abs=ROUGHLY)
    assert lasting(policy("ttl-idle", value)) == pytest.approx(seconds, abs=ROUGHLY)


def test_the_first_policy_that_is_met_counts(lasting):
    date = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    policies = [policy("ttl-max-age", "3d"), policy("ttl-idle", "4h"), policy("date", date)]

    assert lasting(*policies, ttl="1w") == pytest.approx(7200, abs=ROUGHLY)
    assert lasting(*policies[:2], ttl="1w") == pytest.approx(4 * 3600, abs=ROUGHLY)
    assert lasting(policies[0], ttl="1h") == pytest.approx(3600, abs=ROUGHLY)


@pytest.mark.parametrize(
    ("policies", "field"),
    [
        ([policy("ttl-idle", "1h"), policy("ttl-idle", "2h")], "expirationPolicies[1].type"),
        ([policy("ttl-max-age", "1 hour")], "expirationPolicies[0].value"),
        ([policy("ttl-max-age", "1y")], "expirationPolicies[0].value"),
        ([policy("date", "24h")], "expirationPolicies[0].value"),
        ([policy("ttl-idle", None)], "expirationPolicies[0].value"),
        ([{**policy("ttl-idle", "1h"), "action": "archive"}], "expirationPolicies[0].action"),
        (["ttl-idle"], "expirationPolicies[0]"),
    ],
)
def test_a_policy_that_can_not_be_kept_is_named(server, policies, field):
    body = {"spec": {"lifecycle": {"expirationPolicies": policies}}}

    refused = server.http.post("/v0/sandboxes", json=body)

    assert refused.status_code == 400
    assert field in refused.json()["message"]


def test_the_sdk_sets_a_lifecycle_later_and_the_age_counts_from_creation(sdk, server):
    name = sdk.create({"name": new_name()}).metadata.name
    created_at = datetime.fromisoformat(server.get(name)["metadata"]["createdAt"])
    wait_until(lambda: datetime.now(UTC) - created_at > timedelta(seconds=1))

    from blaxel.core.client.models import ExpirationPolicy, SandboxLifecycle

    policies = [ExpirationPolicy.from_dict(policy("ttl-max-age", "1h"))]
    sdk.update_lifecycle(name, SandboxLifecycle(expiration_policies=policies))

    assert server.get(name)["expiresIn"] <= 3599
