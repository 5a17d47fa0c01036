"""Multipart uploads, and changes watched as they happen."""

import hashlib
import json
from itertools import islice

import pytest

from tests.support.waiting import wait_until


@pytest.fixture
def upload(agent, folder):
    """A started upload of `folder`/big, and its address."""
    answer = agent.post(
        f"/filesystem-multipart/initiate/{folder}/big", json={"permissions": "0600"}
    )
    yield f"/filesystem-multipart/{answer.json()['uploadId']}"
    agent.delete(f"/filesystem-multipart/{answer.json()['uploadId']}/abort")


def put_part(agent, upload, number, data):
    files = {"file": ("part", data)}
    return agent.put(f"{upload}/part?partNumber={number}", files=files).json()


def test_parts_in_any_order_make_the_file(agent, folder, upload):
    put_part(agent, upload, 2, b"never mind")
    second = put_part(agent, upload, 2, b"second")
    first = put_part(agent, upload, 1, b"first ")

    listed = agent.get(f"{upload}/parts").json()["parts"]
    done = agent.post(f"{upload}/complete", json={"parts": [second, first]})

    assert second == {"partNumber": 2, "etag": hashlib.md5(b"second").hexdigest(), "size": 6}
    assert [part["partNumber"] for part in listed] == [1, 2]
    assert done.json()["path"] == f"{folder}/big"
    assert agent.read(f"{folder}/big") == "first second"
    assert agent.run(f"stat -c %a {folder}/big").output == "600\n"
    assert agent.get(f"{upload}/parts").status_code == 404


def test_an_upload_under_way_is_listed_and_can_be_aborted(agent, folder, upload):
    put_part(agent, upload, 1, b"x")

    listed = agent.get("/filesystem-multipart").json()["uploads"]
    aborted = agent.delete(f"{upload}/abort")

    mine = [each for each in listed if each["uploadId"] in upload]
    assert (mine[0]["path"], mine[0]["permissions"]) == (f"{folder}/big", 0o600)
    assert mine[0]["parts"]["1"]["size"] == 1
    assert aborted.status_code == 200
    assert agent.delete(f"{upload}/abort").status_code == 404
    assert agent.run("ls -d /var/tmp/upload-*").code != 0
    assert agent.get(f"/filesystem/{folder}/big").status_code == 404


@pytest.mark.parametrize("number", ["0", "10001", "one", "", "-1"])
def test_a_part_has_a_number_from_1_to_10000(agent, upload, number):
    answer = agent.put(f"{upload}/part?partNumber={number}", files={"file": ("part", b"x")})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"partNumber": 9, "etag": "x"}],
        [{"partNumber": 1, "etag": "wrong"}],
        [{"partNumber": 1, "etag": hashlib.md5(b"x").hexdigest()}] * 2,
        "all",
        [1],
    ],
)
def test_a_file_is_only_made_of_what_was_uploaded(agent, folder, upload, parts):
    put_part(agent, upload, 1, b"x")

    answer = agent.post(f"{upload}/complete", json={"parts": parts})

    assert answer.status_code == 400
    assert agent.get(f"/filesystem/{folder}/big").status_code == 404


def told(watch, count):
    """The next events of a watch: what happened to which path."""
    heard = (json.loads(line) for line in watch.iter_lines())
    return [(each["op"], f"{each['path']}/{each['name']}") for each in islice(heard, count)]


def test_a_watch_tells_what_happens_in_the_directory_alone(agent, folder):
    agent.run(f"mkdir {folder}/sub")

    with agent.stream("GET", f"/watch/filesystem/{folder}") as watch:
        agent.run(f"cd {folder}; touch sub/quiet; echo 1 > a; chmod 600 a; mv a b; rm b")
        events = told(watch, 6)

    assert watch.headers["content-type"].startswith("text/plain")
    assert events == [
        ("CREATE", f"{folder}/a"),
        ("WRITE", f"{folder}/a"),
        ("CHMOD", f"{folder}/a"),
        ("RENAME", f"{folder}/a"),
        ("CREATE", f"{folder}/b"),
        ("REMOVE", f"{folder}/b"),
    ]


def test_a_recursive_watch_follows_new_directories_and_ignores_what_it_is_told(agent, folder):
    agent.run(f"mkdir -p {folder}/old/deep")

    with agent.stream("GET", f"/watch/filesystem/{folder}/**?ignore=node_,.tmp") as watch:
        agent.run(f"cd {folder}; mkdir node_modules; touch node_modules/x y.tmp; touch old/deep/f")
        agent.run(f"mkdir -p {folder}/new/deep")
        agent.run(f"echo 1 > {folder}/new/deep/g")
        events = told(watch, 6)

    # A directory that is made while its parent begins to be watched may be told of twice.
    told_of = dict.fromkeys(path.removeprefix(folder) for _, path in events)
    assert list(told_of) == ["/old/deep/f", "/new", "/new/deep", "/new/deep/g"]


def test_a_watch_ends_with_its_directory(agent, folder):
    agent.run(f"mkdir {folder}/sub")

    with agent.stream("GET", f"/watch/filesystem/{folder}/sub") as watch:
        agent.run(f"rmdir {folder}/sub")
        events = told(watch, 9)

    assert events == [("REMOVE", f"{folder}/sub")]


@pytest.mark.parametrize(("path", "status"), [("nowhere", 404), ("file", 400), ("file/**", 400)])
def test_only_a_directory_is_watched(agent, folder, path, status):
    agent.write(f"{folder}/file", "")

    assert agent.get(f"/watch/filesystem/{folder}/{path}").status_code == status


def watched(agent, folder):
    with agent.stream("GET", f"/watch/filesystem/{folder}") as watch:
        return watch.status_code


def test_watches_whose_clients_left_are_closed(agent, folder):
    # The kernel allows a user 128 of them by default.
    statuses = [wait_until(lambda: watched(agent, folder) == 200) for _ in range(150)]

    assert all(statuses)
