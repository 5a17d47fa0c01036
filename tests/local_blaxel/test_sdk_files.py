"""The SDK's file methods, of both its classes, against a running server."""

import asyncio

import httpx
import pytest

from tests.support.local_blaxel import KEY


@pytest.fixture
def box(sdk, name):
    return sdk.get(name)


def test_a_copy_without_overwriting_is_made_once(box):
    box.fs.write_tree([{"path": "src/a.py", "content": "# TODO\n"}], "/blaxel/app")

    box.fs.cp("/blaxel/app/src", "/blaxel/app/copy", no_overwrite=True)

    assert box.fs.read("/blaxel/app/copy/a.py") == "# TODO\n"
    with pytest.raises(FileExistsError):
        box.fs.cp("/blaxel/app/src/a.py", "/blaxel/app/copy", no_overwrite=True)


def test_a_large_file_goes_up_in_parts_and_comes_back(box):
    data = bytes(range(256)) * 4096 * 12

    box.fs.write_binary("/blaxel/large.bin", data)

    assert box.fs.read_binary("/blaxel/large.bin") == data


def test_a_tree_is_read_whole_or_refused(box):
    box.fs.write_tree([{"path": f"{n}.txt", "content": "x"} for n in range(3)], "/blaxel/tree")

    tree = box.fs.read_tree("/blaxel/tree")

    assert [file.name for file in tree.files] == ["0.txt", "1.txt", "2.txt"]
    with pytest.raises(Exception, match="more than 2 files"):
        box.fs.read_tree("/blaxel/tree", max_files=2)


async def test_the_asynchronous_class_finds_searches_and_copies(async_box):
    box = async_box
    await box.fs.write("/blaxel/app/a.py", "# TODO\n")

    found = await box.fs.find("/blaxel/app")
    hits = await box.fs.grep("todo", "/blaxel/app", context_lines=1)
    none = await box.fs.grep("TODO!", "/blaxel/app", case_sensitive=True)
    await box.fs.cp("/blaxel/app/a.py", "/blaxel/b.py", no_overwrite=True)
    await box.fs.write_binary("/blaxel/large.bin", b"x" * 6 * 2**20)

    assert [match.path for match in found.matches] == ["a.py"]
    assert [(hit.path, hit.line, hit.column) for hit in hits.matches] == [("a.py", 1, 3)]
    assert none.matches == []
    assert await box.fs.read("/blaxel/b.py") == "# TODO\n"
    assert len(await box.fs.read_binary("/blaxel/large.bin")) == 6 * 2**20


async def test_a_watch_of_the_sdk_tells_of_changes_with_their_content(async_box):
    box = async_box
    await box.fs.mkdir("/blaxel/watched/deep")
    told = asyncio.Queue()

    async with (
        asyncio.timeout(60),
        box.fs.watch("/blaxel/watched/**", told.put, {"with_content": True}),
    ):
        # The SDK has no other way to know that it watches.
        while told.empty():
            await box.fs.write("/blaxel/watched/first.txt", "")
        await box.fs.write("/blaxel/watched/deep/a.txt", "hi")
        events = []
        while len(events) < 2:
            event = await told.get()
            if event.name == "a.txt":
                events.append(event)

    assert [(event.op, event.path, event.name) for event in events] == [
        ("CREATE", "/blaxel/watched/deep", "a.txt"),
        ("WRITE", "/blaxel/watched/deep", "a.txt"),
    ]
    assert events[-1].content == "hi"


def test_the_head_of_a_watch_arrives_before_anything_happens(server, name):
    url = f"{server.url}{server.inside(name, '/watch/filesystem//tmp')}?token={KEY}"

    with httpx.stream("GET", url, timeout=30) as watch:
        assert watch.status_code == 200
