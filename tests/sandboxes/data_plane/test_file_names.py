"""Names of any bytes: through the API, the pages, archives and the tools of agents."""

import io
import json
import os
import tarfile

import httpx
import pytest
from django.urls import reverse

from sandboxes.data_plane import entries, files, names
from sandboxes.data_plane.file_changes import read as read_change
from sandboxes.data_plane.files import Listing
from tests.support.growth import BOUND, MORE, growth
from tests.support.odd_names import FOLDER, SHOWN
from tests.support.web_process import cookie_of

pytestmark = pytest.mark.data_plane


@pytest.mark.parametrize(("name", "shown"), SHOWN)
def test_each_name_is_shown_in_one_way_and_read_back(name, shown):
    raw = os.fsdecode(name)

    assert names.told(raw) == shown
    assert names.raw(shown) == raw


def test_no_two_names_are_shown_alike():
    parts = [b"%", b"25", b"E9", b"C3", b"A9", b"\xe9", b"\xc3", b"\xa9", b"a"]
    made = {
        first + second + third + fourth
        for first in parts
        for second in parts
        for third in parts
        for fourth in parts
    }

    shown = {names.told(os.fsdecode(name)): name for name in made}

    assert len(shown) == len(made)
    assert all(os.fsencode(names.raw(text)) == name for text, name in shown.items())
    assert "".join(shown).encode()


def test_a_name_of_many_encodings_costs_no_more_than_its_length():
    def work(size):
        names.told("%" + "25" * size)

    assert growth(work, 50_000, MORE * 50_000) < BOUND


def test_every_name_is_listed_read_saved_moved_deleted_and_restored(files_api, odd):
    listed = files_api("get", path=FOLDER).json()["entries"]
    by_name = {entry["name"]: entry["path"] for entry in listed}

    assert by_name == {shown: f"{FOLDER}/{shown}" for _, shown in SHOWN}
    for number, (_, shown) in enumerate(SHOWN):
        path = by_name[shown]
        file = files_api("get", path=path).json()
        saved = files_api(
            "put", "", {"path": path, "content": f"new {number}", "version": file["version"]}
        )
        moved = f"/blaxel/moved/{shown}"
        files_api("post", "/folder", {"path": "/blaxel/moved"})
        there = files_api("post", "/move", {"source": path, "destination": moved})
        trashed = files_api("delete", path=moved).json()["trashed"]
        gone = files_api("get", path=moved)
        back = files_api("post", "/restore", {"trashed": trashed})

        assert file["content"] == str(number), shown
        assert (saved.status_code, there.status_code) == (200, 200), shown
        assert (gone.status_code, back.json()) == (404, {"path": moved}), shown
        assert files_api("get", path=moved).json()["content"] == f"new {number}"


def test_bytes_are_taken_in_a_query_and_surrogates_in_json(files_api, client, odd):
    read = client.get("/api/sandbox/files?path=/blaxel/caf%E9/caf%E8.txt")
    found = client.get("/api/sandbox/files/search?path=/blaxel/caf%E9&query=f%E8").json()
    body = {"source": "/blaxel/caf\udce9/caf\udce8.txt", "destination": "/blaxel/a"}
    moved = files_api("post", "/move", json.dumps(body))

    assert read.json()["path"] == f"{FOLDER}/caf%E8.txt"
    assert [match["path"] for match in found["matches"]] == [f"{FOLDER}/caf%E8.txt"]
    assert moved.status_code == 200
    assert files_api("get", path="/blaxel/a").json()["content"] == "1"


def test_names_are_found(files_api, odd):
    found = files_api("get", "/search", path="/blaxel", query="CAF%E9.TXT").json()["matches"]
    lines = files_api("get", "/search", path=FOLDER, query="0", **{"in": "contents"}).json()

    assert [match["path"] for match in found] == [f"{FOLDER}/caf%E9.txt"]
    assert f"{FOLDER}/caf%E9.txt" in [match["path"] for match in lines["matches"]]


def test_a_page_shows_names_and_takes_them(client, made, odd):
    client.force_login(made.owner)

    page = client.get(reverse("sandboxes:files-folder"), {"path": FOLDER}).content.decode()

    assert 'data-path="/blaxel/caf%E9/caf%E8.txt" data-name="caf%E8.txt"' in page
    assert 'data-name="caf%25E9.txt"' in page


@pytest.mark.exhaustive
def test_files_of_any_name_go_down_and_up_and_into_an_archive(web, made, odd, run):
    headers = {"Cookie": cookie_of(made.owner), "Origin": web.url}
    run("cd /blaxel/caf*; ln -s \"$(printf 'caf\\351.txt')\" link")
    with httpx.Client(base_url=web.url, headers=headers, trust_env=False, timeout=60) as http:
        content = "/api/sandbox/files/content"
        down = http.get(content, params={"path": f"{FOLDER}/caf%E9.txt"})
        raw = http.get(f"{content}?path=/blaxel/caf%E9/caf%E9.txt")
        up = http.put(content, params={"path": f"{FOLDER}/new%FF"}, content=b"up")
        packed = http.get("/api/sandbox/files/archive", params={"path": FOLDER}).content

    assert (down.content, raw.content, up.status_code) == (b"0", b"0", 201)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = {os.fsencode(member.name): member for member in tar}
        numbers = {name: tar.extractfile(found[b"caf\xe9/" + name]).read() for name, _ in SHOWN}
    assert numbers == {name: b"%d" % number for number, (name, _) in enumerate(SHOWN)}
    assert b"caf\xe9/new\xff" in found
    assert os.fsencode(found[b"caf\xe9/link"].linkname) == b"caf\xe9.txt"


def test_a_process_works_in_a_folder_of_such_a_name(client, made, odd, files_api):
    body = {"command": "pwd > /blaxel/where; sleep 60", "workingDir": FOLDER, "name": "odd"}

    started = client.post("/api/sandbox/processes", body, content_type="application/json")
    listed = client.get("/api/sandbox/processes").json()["processes"]

    assert started.status_code == 201, started.text
    assert [each["workingDir"] for each in listed if each["name"] == "odd"] == [FOLDER]


def test_names_that_json_could_not_carry_are_asked_for(made, odd):
    """As Blaxel's own server lists a folder: several names are told as one."""
    found = files.read(made.reach, FOLDER, 0)
    lost = sorted((dict(each, name=names.lost(each["name"])) for each in found.files), key=str)

    listed = files.listing(made.reach, FOLDER, {"files": lost})

    assert isinstance(found, Listing)
    assert sorted(each["name"] for each in listed.files) == sorted(
        os.fsdecode(name) for name, _ in SHOWN
    )


def test_links_and_their_targets_are_told_some_at_a_time(made, run, monkeypatch):
    monkeypatch.setattr(entries, "_TARGETS_AT_ONCE", 7)
    run(
        "mkdir -p some/to; cd some; for i in $(seq 30); do ln -s to l$i; done; "
        "ln -s none .z; touch f"
    )

    found = entries.links(made.reach, "/blaxel/some", targets=True)

    assert {each.target for each in found.values() if each.is_folder} == {"to"}
    assert (len(found), found[".z"].target, found[".z"].is_folder) == (31, "none", False)


@pytest.mark.parametrize(
    ("name", "path"), [("caf\udce9", "/blaxel/caf%E9"), ("caf%E9", "/blaxel/caf%25E9")]
)
def test_a_change_is_told_by_the_name_that_is_shown(name, path):
    line = json.dumps({"op": "CREATE", "path": "/blaxel", "name": name, "error": None})

    assert read_change(line).path == path


def test_of_a_change_whose_name_is_lost_only_that_something_changed_is_known():
    line = json.dumps({"op": "CREATE", "path": "/blaxel", "name": "caf\ufffd", "error": None})

    with pytest.raises(ValueError):
        read_change(line)
