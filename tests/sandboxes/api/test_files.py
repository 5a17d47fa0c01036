"""Work with files, inside a real sandbox, over the REST API."""

import pytest

from sandboxes import data_plane
from sandboxes.services.files import MAX_TEXT
from tests.support.files_api import code, entries, saved

pytestmark = pytest.mark.data_plane

ODD = [
    "with space",
    "it's",
    'say "hi"',
    "a#b",
    "a?b",
    "100%",
    "%2Fx",
    "new\nline",
    "žluťoučký",
    "🦈",
    "-rf",
    "$(touch x)",
    "a;b&c",
    "back\\slash",
    "a+b=c",
    "..almost",
]


@pytest.fixture
def api(files_api):
    return files_api


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ODD)
def test_a_name_is_a_name_everywhere(api, name):
    path, moved = f"/blaxel/odd/{name}", f"/blaxel/odd/{name}/{name}"
    version = saved(api, path, "one")
    saved(api, path, "two", version)

    assert api("get", path=path).json()["content"] == "two"
    assert list(entries(api, "/blaxel/odd")) == [name]
    away = "/blaxel/away"
    assert api("post", "/move", {"source": path, "destination": away}).status_code == 200
    assert api("post", "/folder", {"path": path}).status_code == 201
    assert api("post", "/move", {"source": away, "destination": moved}).status_code == 200
    trashed = api("delete", path=moved).json()["trashed"]
    assert code(api("get", path=moved)) == (404, "file_not_found")
    assert api("post", "/restore", {"trashed": trashed}).json() == {"path": moved}
    found = api("get", "/search", path="/blaxel/odd", query=name.upper(), hidden=True).json()
    assert moved in [match["path"] for match in found["matches"]]


def test_a_folder_says_what_is_in_it(api, run):
    run("mkdir -p f/sub && printf abc > f/B && ln -s sub f/link && ln -s nowhere f/z && touch f/a")

    found = entries(api, "/blaxel/f")

    assert list(found) == ["link", "sub", "a", "B", "z"]
    assert [found[name]["kind"] for name in found] == ["directory"] * 2 + ["file"] * 3
    assert [found[name]["link"] for name in found] == [True, False, False, False, True]
    assert found["B"]["size"] == 3
    assert found["B"]["modifiedAt"].endswith("Z")


@pytest.mark.exhaustive
def test_links_are_links_however_many_and_long_they_are(api, run):
    run(
        "mkdir -p many/to; cd many; long=$(head -c 190 /dev/zero | tr '\\0' n); "
        "for i in $(seq 900); do ln -s to $long$i; done; "
        "for i in $(seq 1500); do ln -s to l$i; done; touch file; chmod 777 file"
    )

    found = {}
    answer = {"next": ""}
    while answer["next"] is not None:
        answer = api("get", path="/blaxel/many", limit=2000, cursor=answer["next"]).json()
        found |= {entry["name"]: (entry["kind"], entry["link"]) for entry in answer["entries"]}

    links = [name for name, shown in found.items() if shown == ("directory", True)]
    assert len(links) == 2400
    assert (found["to"], found["file"]) == (("directory", False), ("file", False))


def test_an_empty_file_says_when_it_was_changed(api, run):
    run("touch -d 2020-05-17T12:00:00Z empty")

    file = api("get", path="/blaxel/empty").json()

    assert (file["modifiedAt"], file["content"]) == ("2020-05-17T12:00:00Z", "")


def test_texts_of_up_to_5_mb_open_and_the_others_say_why_not(api, run):
    run(
        f"printf 'a\\0b' > binary; printf '\\377\\376a' > latin; mkfifo pipe; "
        f"head -c {MAX_TEXT} /dev/zero | tr '\\0' x > most; cp most more; echo >> more"
    )

    why = {
        name: api("get", path=f"/blaxel/{name}").json()
        for name in ("binary", "latin", "pipe", "more", "most")
    }

    assert {name: file["why"] for name, file in why.items()} == {
        "binary": "binary",
        "latin": "not_utf8",
        "pipe": "unreadable",
        "more": "too_large",
        "most": None,
    }
    assert len(why["most"]["content"]) == MAX_TEXT
    assert why["more"]["size"] == MAX_TEXT + 1
    assert [name for name, file in why.items() if file["content"] is not None] == ["most"]


TEXTS = {
    "a NUL far from its beginning": "x" * 9000 + "\0y",
    "a byte order mark": "\ufeffone\n",
    "line ends of every kind": "one\r\ntwo\nthree\rfour\r\r\nfive",
    "separators that are no line ends": "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg",
    "characters of every length": "aé€🦈\U0010ffff\ufffe",
    "spaces and blank lines at both ends": " \n\t\n text \n \n",
    "nothing": "",
    "as much as opens": "\n" * MAX_TEXT,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_opens_is_saved_byte_for_byte(api, text):
    version = saved(api, "/blaxel/a.txt", text)

    opened = api("get", path="/blaxel/a.txt").json()
    saved(api, "/blaxel/a.txt", opened["content"], opened["version"])

    assert (opened["content"], opened["why"], opened["version"]) == (text, None, version)
    assert api("get", path="/blaxel/a.txt").json()["version"] == version


def test_a_text_that_may_not_be_changed_says_so_and_stays(api, run):
    run("printf one > a.txt; chmod 444 a.txt")

    opened = api("get", path="/blaxel/a.txt").json()
    body = {"path": "/blaxel/a.txt", "content": "two", "version": opened["version"]}
    refused = api("put", "", body)

    assert (opened["content"], opened["why"]) == ("one", "read_only")
    assert code(refused) == (403, "file_denied")
    assert run("cat a.txt; stat -c %a a.txt")["stdout"] == "one444\n"


def test_a_text_is_read_by_one_request(api, run, monkeypatch):
    run("printf one > a.txt")
    monkeypatch.delattr("sandboxes.services.files.run_script")

    assert api("get", path="/blaxel/a.txt").json()["content"] == "one"


@pytest.mark.parametrize(("mode", "why"), [("644", None), ("444", "read_only")])
def test_a_server_that_does_not_say_if_a_text_may_be_changed_is_asked(
    api, run, monkeypatch, mode, why
):
    run(f"printf one > a.txt; chmod {mode} a.txt")
    monkeypatch.setattr("sandboxes.data_plane.files._WRITABLE", "X-Of-Another-Server")

    assert api("get", path="/blaxel/a.txt").json()["why"] == why


@pytest.mark.parametrize("text", [r"\377\376a\0", r"\376\377\0a"])
def test_a_text_in_utf_16_is_one_that_is_not_utf_8(api, run, text):
    run(f"printf '{text}' > wide.txt")

    assert api("get", path="/blaxel/wide.txt").json()["why"] == "not_utf8"


def test_a_save_over_what_somebody_else_wrote_is_refused(api, run):
    version = saved(api, "/blaxel/a.txt", "one")
    run("echo theirs > a.txt")

    response = api("put", "", {"path": "/blaxel/a.txt", "content": "mine", "version": version})

    assert code(response) == (409, "changed_on_disk")
    assert api("get", path="/blaxel/a.txt").json()["content"] == "theirs\n"


def test_a_save_of_what_was_deleted_or_of_a_new_name_that_is_taken_is_refused(api, run):
    version = saved(api, "/blaxel/a.txt", "one")

    new = api("put", "", {"path": "/blaxel/a.txt", "content": "", "version": None})
    run("rm a.txt")
    gone = api("put", "", {"path": "/blaxel/a.txt", "content": "", "version": version})

    assert code(new) == (409, "file_exists")
    assert code(gone) == (409, "changed_on_disk")


def test_a_save_keeps_the_files_permissions_and_any_characters(api, run):
    run("printf x > run.sh; chmod 755 run.sh")
    version = api("get", path="/blaxel/run.sh").json()["version"]

    saved(api, "/blaxel/run.sh", " é🦈\r\n\t", version)

    assert api("get", path="/blaxel/run.sh").json()["content"] == " é🦈\r\n\t"
    assert run("stat -c %a run.sh")["stdout"] == "755\n"


def test_a_text_that_is_too_long_is_to_be_uploaded(api):
    body = {"path": "/blaxel/a", "content": "x" * (MAX_TEXT + 1), "version": None}

    assert code(api("put", "", body)) == (413, "file_too_large")


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", ["", "a", "a/b", "~", "/a\0b", "/" + "a" * 5000])
def test_a_path_that_can_be_none_is_refused_by_its_field(api, path):
    response = api("get", path=path)

    assert code(response) == (400, "invalid")
    assert response.json()["error"].startswith("path: ")


def test_half_a_character_is_refused(api):
    body = '{"path": "/blaxel/\\ud800", "content": "", "version": null}'

    response = api("put", "", body)

    assert response.status_code == 400


def test_a_name_that_is_too_long_is_said_so(api):
    assert code(api("get", path="/blaxel/" + "a" * 300)) == (400, "bad_path")


def test_dots_lead_nowhere_but_up_to_the_sandboxs_own_root(api):
    answer = api("get", path="/blaxel/../../../..//").json()

    assert answer["path"] == "/"
    assert "blaxel" in [entry["name"] for entry in answer["entries"]]


# A file system of its own inside a sandbox, which is soon full.
FULL = "/dev/shm"


def test_a_save_keeps_what_is_there_where_the_provider_empties_a_file_first(api, run, monkeypatch):
    write = data_plane.files.write

    def write_as_blaxel(reach, path, content, **options):
        run(f"if [ -e '{path}' ]; then : > '{path}'; fi")
        write(reach, path, content, **options)

    version = saved(api, f"{FULL}/a.txt", "x" * 300_000)
    run(f"head -c 1G /dev/zero > {FULL}/fill")
    before = run(f"sha256sum < {FULL}/a.txt")["stdout"]
    monkeypatch.setattr("sandboxes.data_plane.files.write", write_as_blaxel)

    body = {"path": f"{FULL}/a.txt", "content": "y" * 900_000, "version": version}
    refused = api("put", "", body)

    assert code(refused) == (507, "disk_full")
    assert run(f"sha256sum < {FULL}/a.txt")["stdout"] == before


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_move_into_a_full_file_system_leaves_both_as_they_were(api, run, what):
    run(f"printf old > {FULL}/file; mkdir folder; head -c 300000 /dev/zero > file; cp file folder")
    run(f"head -c 1G /dev/zero > {FULL}/fill")
    body = {"source": f"/blaxel/{what}", "destination": f"{FULL}/{what}", "overwrite": True}

    refused = api("post", "/move", body)
    left = run(f"cat {FULL}/file; echo; ls -A {FULL}; stat -c %s file folder/file")["stdout"]
    run(f"rm {FULL}/fill")
    moved = api("post", "/move", body)

    assert code(refused) == (507, "disk_full")
    left_there = run(f"find {FULL}/{what} -type f | xargs stat -c %s; ls -d {what}")["stdout"]
    assert left.split() == ["old", "file", "fill", "300000", "300000"]
    assert moved.status_code == 200, moved.text
    assert left_there == "300000\n"
