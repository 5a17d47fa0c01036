"""Limits of each user: places, a line to wait in, and streams of which the oldest gives way."""

import asyncio

import pytest

from sandboxes.streams.limits import NoPlace, OpenStreams, PerUserLimit, PerUserQueue


def test_what_is_large_takes_several_places_and_gives_them_back():
    limit = PerUserLimit(3)

    with limit.hold(1, 2), limit.hold(1), pytest.raises(NoPlace), limit.hold(1):
        pass

    with limit.hold(1, 3), limit.hold(2, 3):
        pass


async def test_a_users_works_wait_for_one_another_and_for_nobody_elses():
    queue, goes_on, begun = PerUserQueue(1), asyncio.Event(), []

    async def work(user):
        async with queue.turn(user):
            begun.append(user)
            await goes_on.wait()

    async with asyncio.TaskGroup() as group:
        works = [group.create_task(work(user)) for user in (1, 1, 2)]
        while len(begun) < 2:
            await asyncio.sleep(0)
        assert begun == [1, 2]
        goes_on.set()
    assert all(each.done() for each in works)
    assert begun == [1, 2, 1]


class Stream:
    def __init__(self):
        self.reason = ""

    @property
    def is_over(self):
        return bool(self.reason)

    def end(self, reason):
        self.reason = reason


def test_the_oldest_of_a_user_gives_way():
    streams = OpenStreams(per_user=2, most=100, files_share=1)
    opened = [Stream() for _ in range(4)]

    for each in opened:
        streams.join(1, each)
    streams.join(2, another := Stream())

    assert [each.reason for each in [*opened, another]] == ["limit", "limit", "", "", ""]
    for each in opened:
        streams.leave(1, each)
    assert (len(streams), streams.users) == (1, {2})
