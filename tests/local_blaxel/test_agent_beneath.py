"""Requests that are held to a folder: no link leads out of it, whenever it is made."""

import pytest

HEADER = "X-Local-Blaxel-Beneath"
# A link and a folder that change places as fast as they can.
SWAP = """
import ctypes, os
libc = ctypes.CDLL(None)
while True:
    libc.renameat2(-100, b"box/swap", -100, b"box/other", 2)
"""
TRIES = 150


@pytest.fixture
def box(agent, folder):
    """A folder with a file in it, and one beside it that nobody may reach from there."""
    agent.write(f"{folder}/box/in.txt", "inside")
    agent.write(f"{folder}/outside/secret.txt", "secret-needle")
    agent.headers[HEADER] = f"{folder}/box"
    yield f"{folder}/box"
    agent.headers.pop(HEADER, None)


def free(agent, command, **fields):
    """Run a command, which no request may do that is held to a folder."""
    header = agent.headers.pop(HEADER)
    try:
        return agent.run(command, **fields)
    finally:
        agent.headers[HEADER] = header


def test_files_below_it_are_read_written_listed_found_and_deleted(agent, box):
    agent.write(f"{box}/new/deep/file.txt", "a needle")
    free(agent, f"ln -s new {box}/near; ln -s {box}/new {box}/absolute")

    listing = agent.get(f"/filesystem/{box}/near").json()
    through = [agent.read(f"{box}/{link}/deep/file.txt") for link in ("near", "absolute")]
    content = agent.get(f"/filesystem-content-search/{box}", params={"query": "needle"}).json()
    named = agent.get(f"/filesystem-search/{box}", params={"query": "file"}).json()
    deleted = agent.delete(f"/filesystem/{box}/new", params={"recursive": "true"})

    assert listing["subdirectories"] == [{"path": f"{box}/near/deep", "name": "deep"}]
    assert (listing["path"], listing["name"]) == (f"{box}/near", "near")
    assert through == ["a needle"] * 2
    assert [match["path"] for match in content["matches"]] == ["new/deep/file.txt"]
    assert "new/deep/file.txt" in [match["path"] for match in named["matches"]]
    assert deleted.status_code == 200
    assert agent.get(f"/filesystem/{box}/new").status_code == 404


def test_errors_below_it_name_the_path(agent, box):
    agent.write(f"{box}/file", "x")
    free(agent, f"mkdir {box}/shut; chmod 000 {box}/shut {box}/file")

    refused = [agent.get(f"/filesystem/{box}/{name}").json() for name in ("shut", "file")]
    free(agent, f"chmod 700 {box}/shut")

    assert refused == [
        {"error": f"open {box}/{name}: permission denied", "code": "EACCES"}
        for name in ("shut", "file")
    ]


@pytest.mark.parametrize(
    "way", ["link/secret.txt", "file", "proc/cwd/in.txt", "../outside/secret.txt"]
)
def test_no_way_out_is_read_or_written(agent, box, way):
    links = f"ln -s ../outside {box}/link; ln -s ../outside/secret.txt {box}/file"
    free(agent, f"{links}; ln -s /proc/self {box}/proc")
    path = f"/filesystem/{box}/{way}".replace("..", "%2E%2E")

    answers = [agent.get(path), agent.put(path, json={"content": "x"}), agent.delete(f"{path}/x")]

    assert [answer.status_code for answer in answers] == [403] * 3, [a.text for a in answers]
    assert free(agent, f"cat {box}/../outside/secret.txt").output == "secret-needle"


def test_what_can_not_be_held_to_it_is_refused(agent, box):
    refused = [
        agent.post("/process", json={"command": "id"}),
        agent.get(f"/filesystem/tree/{box}"),
        agent.post("/filesystem-copy", json={"source": box, "destination": "/tmp/x"}),
        agent.get(f"/watch/filesystem/{box}"),
        agent.get("/codegen/grep", params={"query": "needle"}),
        agent.delete(f"/filesystem/{box}", params={"recursive": "true"}),
    ]

    assert [answer.status_code for answer in refused] == [403] * len(refused)


@pytest.mark.exhaustive
def test_a_link_that_is_exchanged_meanwhile_wins_no_race(agent, box):
    agent.write(f"{box}/swap/secret.txt", "fine")
    free(agent, f"ln -s ../outside {box}/other")
    parent = box.rpartition("/")[0]
    agent.headers.pop(HEADER)
    swapping = agent.execute(f"exec python3 -c '{SWAP}'", workingDir=parent).json()
    agent.headers[HEADER] = box

    told = set()
    for _ in range(TRIES):
        told.add(agent.get(f"/filesystem/{box}/swap/secret.txt").text)
        told.add(agent.get(f"/filesystem-content-search/{box}", params={"query": "needle"}).text)
        agent.put(f"/filesystem/{box}/swap/planted", json={"content": "x"})
        agent.delete(f"/filesystem/{box}/swap/secret2", params={"recursive": "true"})
    agent.headers.pop(HEADER)
    agent.delete(f"/process/{swapping['pid']}/kill")
    outside = agent.get(f"/filesystem/{parent}/outside").json()["files"]
    agent.headers[HEADER] = box

    assert [text for text in told if "secret-needle" in text] == []
    assert any("fine" in text for text in told)
    assert [file["name"] for file in outside] == ["secret.txt"]
