"""A file keeps its content until the new one is whole, on every way that writes one."""

import json
from itertools import islice

import pytest

# A file system of its own that is soon full.
FULL = "/dev/shm"
OLD, NEW = "o" * 300_000, "n" * 900_000
STATE = "stat -c '%a %h %u' kept; sha256sum < kept; ls -A"
HEADER = "X-Local-Blaxel-Beneath"


@pytest.fixture
def full(agent):
    """A folder where something is kept, and where there is no more room."""
    folder = agent.run(f"mktemp -d {FULL}/XXXXXX").output.strip()
    agent.write(f"{folder}/kept", OLD)
    agent.run(f"chmod 640 {folder}/kept; head -c 1G /dev/zero > {FULL}/fill")
    yield folder
    agent.run(f"rm -rf {folder} {FULL}/fill")


def put_json(agent, folder, path):
    return agent.put(f"/filesystem/{path}", json={"content": NEW})


def put_form(agent, folder, path):
    return agent.put(f"/filesystem/{path}", files={"file": ("x", NEW.encode())})


def put_tree(agent, folder, path):
    above, _, name = path.rpartition("/")
    return agent.put(f"/filesystem/tree{above}", json={"files": {name: NEW}})


def put_parts(agent, folder, path):
    started = agent.post(f"/filesystem-multipart/initiate/{path}", json={}).json()
    upload = f"/filesystem-multipart/{started['uploadId']}"
    form = {"file": ("part", NEW.encode())}
    part = agent.put(f"{upload}/part?partNumber=1", files=form).json()
    answer = agent.post(f"{upload}/complete", json={"parts": [part]})
    agent.delete(f"{upload}/abort")
    return answer


def copy(agent, folder, path):
    agent.write(f"{folder}/source", NEW)
    body = {"source": f"{folder}/source", "destination": path}
    return agent.post("/filesystem-copy", json=body)


def put_held(agent, folder, path):
    above = path.rpartition("/")[0]
    return agent.put(f"/filesystem/{path}", json={"content": NEW}, headers={HEADER: above})


WAYS = [put_json, put_form, put_tree, put_parts, copy, put_held]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["kept", "link", "hard", "new"])
@pytest.mark.parametrize("way", WAYS)
def test_a_full_disk_leaves_everything_as_it_was(agent, folder, full, way, name):
    agent.run(f"cd {full}; ln -s kept link; if [ {name} = hard ]; then ln kept hard; fi")
    before = agent.run(STATE, workingDir=full).output

    answer = way(agent, folder, f"{full}/{name}")

    assert answer.status_code == 422
    assert "no space left on device" in answer.json()["error"]
    assert agent.run(STATE, workingDir=full).output == before


@pytest.mark.parametrize("way", WAYS)
def test_permissions_and_links_are_kept(agent, folder, way):
    box = f"{folder}/box"
    agent.run(
        f"mkdir {box}; cd {box}; umask 0; printf 1 > two; chmod 750 two; ln two twin; "
        "ln -s two link; printf 1 > one; chmod 640 one; ln -s nowhere dangling"
    )

    answers = [way(agent, folder, f"{box}/{name}") for name in ("link", "one", "dangling")]

    assert [answer.status_code for answer in answers] == [200] * 3, [a.text for a in answers]
    found = agent.run("stat -c '%n %a %h %s' *; ls -A", workingDir=box).output.splitlines()
    size = len(NEW)
    assert found == [
        "dangling 777 1 7",
        "link 777 1 3",
        f"nowhere 644 1 {size}",
        f"one 640 1 {size}",
        f"twin 750 2 {size}",
        f"two 750 2 {size}",
        *("dangling", "link", "nowhere", "one", "twin", "two"),
    ]


def test_a_file_that_may_not_be_written_is_not_replaced(agent, folder):
    agent.write(f"{folder}/kept", "old")
    agent.run(f"chmod 444 {folder}/kept")

    answer = agent.put(f"/filesystem/{folder}/kept", json={"content": "new"})

    assert answer.status_code == 422
    assert agent.read(f"{folder}/kept") == "old"


def test_a_file_may_be_written_where_no_other_may_be_made(agent, folder):
    agent.write(f"{folder}/kept", "old")
    agent.run(f"chmod 555 {folder}")

    answer = agent.put(f"/filesystem/{folder}/kept", json={"content": "new"})

    assert answer.status_code == 200, answer.text
    assert agent.read(f"{folder}/kept") == "new"


def test_a_watch_tells_of_the_file_alone(agent, folder):
    agent.write(f"{folder}/kept", "old")

    with agent.stream("GET", f"/watch/filesystem/{folder}") as watch:
        agent.write(f"{folder}/kept", "new")
        agent.write(f"{folder}/last", "")
        told = [json.loads(line) for line in islice(watch.iter_lines(), 3)]

    assert [(each["op"], each["name"]) for each in told] == [
        ("WRITE", "kept"),
        ("CREATE", "last"),
        ("WRITE", "last"),
    ]


def test_an_upload_that_does_not_fit_can_be_completed_once_there_is_room(agent, full):
    started = agent.post(f"/filesystem-multipart/initiate/{full}/kept", json={}).json()
    upload = f"/filesystem-multipart/{started['uploadId']}"
    part = agent.put(f"{upload}/part?partNumber=1", files={"file": ("part", NEW.encode())}).json()

    refused = agent.post(f"{upload}/complete", json={"parts": [part]})
    agent.run(f"rm {FULL}/fill")
    done = agent.post(f"{upload}/complete", json={"parts": [part]})

    assert (refused.status_code, done.status_code) == (422, 200)
    assert agent.read(f"{full}/kept") == NEW
