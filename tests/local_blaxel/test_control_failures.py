"""The control plane when sandboxes start slowly, badly or never."""

import asyncio

import pytest

from local_blaxel import spec
from local_blaxel.errors import Conflict, CreationTimeout, NotDeployed
from local_blaxel.fleet import Fleet
from local_blaxel.hub.homes import Homes
from local_blaxel.hub.images import Hub
from local_blaxel.launcher import LaunchError
from local_blaxel.store import Store
from tests.support.waiting import wait_until


class SlowLauncher:
    """Starts a sandbox when told to, and counts."""

    def __init__(self):
        self.started = 0
        self.stopped = []
        self.let_go = asyncio.Event()

    async def start(self, spec):
        self.started += 1
        number = self.started
        await self.let_go.wait()
        return f"instance-{number}"

    async def stop(self, instance):
        self.stopped.append(instance)


class BadLauncher(SlowLauncher):
    """Starts nothing."""

    async def start(self, spec):
        self.started += 1
        raise LaunchError("no more room")


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "store.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def fleet_of(tmp_path):
    def fleet_of(store, launcher):
        return Fleet(store, launcher, Hub(), Homes(tmp_path / "homes", launcher))

    return fleet_of


def record():
    return spec.read({"metadata": {"name": "one"}})


def create(fleet, *, reuse=False, timeout=None):
    return asyncio.create_task(fleet.create(record(), reuse=reuse, timeout=timeout))


async def started(launcher, count):
    await asyncio.to_thread(wait_until, lambda: launcher.started >= count)


async def test_a_create_past_its_deadline_frees_the_name(store, fleet_of):
    launcher = SlowLauncher()
    fleet = fleet_of(store, launcher)

    with pytest.raises(CreationTimeout):
        await create(fleet, timeout=0.05)
    launcher.let_go.set()
    sandbox = await create(fleet)

    assert sandbox.row.phase == "DEPLOYED"
    assert launcher.started == 2


async def test_who_waits_for_anothers_create_past_the_deadline_leaves_it_alone(store, fleet_of):
    launcher = SlowLauncher()
    fleet = fleet_of(store, launcher)
    first = create(fleet, reuse=True)
    await started(launcher, 1)

    with pytest.raises(CreationTimeout):
        await create(fleet, reuse=True, timeout=0.05)
    launcher.let_go.set()

    assert (await first).row.phase == "DEPLOYED"
    assert launcher.started == 1


async def test_a_sandbox_that_did_not_start_is_failed_and_the_next_create_replaces_it(
    store, fleet_of
):
    fleet = fleet_of(store, BadLauncher())
    with pytest.raises(NotDeployed, match="no more room"):
        await create(fleet)
    failed = store.sandbox("one")

    launcher = SlowLauncher()
    launcher.let_go.set()
    after_a_restart = fleet_of(store, launcher)
    sandbox = await create(after_a_restart, reuse=True)

    assert failed.phase == "FAILED"
    assert failed.events[-1]["message"] == "no more room"
    assert sandbox.row.phase == "DEPLOYED"


async def test_a_sandbox_deleted_while_it_is_made_leaves_nothing(store, fleet_of):
    launcher = SlowLauncher()
    fleet = fleet_of(store, launcher)
    creation = create(fleet)
    await started(launcher, 1)

    fleet.delete("one")
    launcher.let_go.set()
    with pytest.raises(Conflict, match="deleted"):
        await creation

    await asyncio.to_thread(wait_until, lambda: not fleet.sandboxes)
    assert launcher.stopped == ["instance-1"]
    assert store.sandbox("one").phase == "TERMINATED"


async def test_a_second_create_without_reuse_is_refused_while_the_first_is_under_way(
    store, fleet_of
):
    launcher = SlowLauncher()
    fleet = fleet_of(store, launcher)
    first = create(fleet)
    await started(launcher, 1)

    with pytest.raises(Conflict):
        await create(fleet)

    launcher.let_go.set()
    assert (await first).row.phase == "DEPLOYED"
