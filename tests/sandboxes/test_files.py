"""What is done with files, inside a real sandbox, over the REST API."""

import pytest

from sandboxes.dataplane import files
from sandboxes.services.files import MOST_TEXT

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
def api(client, made):
    client.force_login(made.owner)

    def api(method, route="", body=None, /, **query):
        where = "/api/sandbox/files" + route
        if method in ("get", "delete"):
            return client.generic(method.upper(), where, query_params=query)
        return getattr(client, method)(where, body, content_type="application/json")

    return api


@pytest.fixture
def run(made, provider):
    return lambda command: provider.server.run(made.name, command, workingDir="/blaxel")


def saved(api, path, content="", version=None):
    response = api("put", "", {"path": path, "content": content, "version": version})
    assert response.status_code == 200, response.text
    return response.json()["version"]


def entries(api, path="/blaxel"):
    response = api("get", path=path)
    assert response.status_code == 200, response.text
    return {entry["name"]: entry for entry in response.json()["entries"]}


def code(response):
    return response.status_code, response.json()["code"]


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


def test_texts_of_up_to_5_mb_open_and_the_others_say_why_not(api, run):
    run(
        f"printf 'a\\0b' > binary; printf '\\377\\376a' > latin; mkfifo pipe; "
        f"head -c {MOST_TEXT} /dev/zero | tr '\\0' x > most; cp most more; echo >> more"
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
    assert len(why["most"]["content"]) == MOST_TEXT
    assert why["more"]["size"] == MOST_TEXT + 1
    assert [name for name, file in why.items() if file["content"] is not None] == ["most"]


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
    body = {"path": "/blaxel/a", "content": "x" * (MOST_TEXT + 1), "version": None}

    assert code(api("put", "", body)) == (413, "file_too_large")


def test_a_move_overwrites_files_only_when_told_to_and_folders_never(api, run):
    run("echo 1 > one; echo 2 > two; mkdir folder")

    def move(destination, **more):
        body = {"source": "/blaxel/one", "destination": f"/blaxel/{destination}", **more}
        return api("post", "/move", body)

    assert code(move("two")) == (409, "file_exists")
    assert code(move("folder", overwrite=True)) == (409, "file_exists")
    assert code(move("missing/one")) == (404, "file_not_found")
    assert move("two", overwrite=True).status_code == 200
    assert code(move("two")) == (404, "file_not_found")
    assert run("cat two")["stdout"] == "1\n"


def test_a_folder_is_not_moved_into_itself_and_the_home_stays(api, run):
    run("mkdir folder")

    into = api("post", "/move", {"source": "/blaxel/folder", "destination": "/blaxel/folder/x"})

    assert code(into) == (400, "bad_path")
    assert [code(api("delete", path=path)) for path in ("/", "/blaxel", "/blaxel/../blaxel/")] == [
        (400, "bad_path")
    ] * 3


@pytest.mark.parametrize("folder", ["/blaxel", "/tmp"])
def test_what_was_deleted_comes_back_whole_and_the_trash_is_not_seen(api, run, folder):
    run(f"mkdir -p {folder}/f/sub; ln -s nowhere {folder}/f/link; echo 1 > {folder}/f/sub/a")

    trashed = api("delete", path=f"{folder}/f").json()["trashed"]

    assert {"f", ".manta", ".manta-trash"}.isdisjoint(entries(api, folder))
    assert api("post", "/restore", {"trashed": trashed}).json() == {"path": f"{folder}/f"}
    assert run(f"cat {folder}/f/sub/a; readlink {folder}/f/link")["stdout"] == "1\nnowhere\n"
    assert code(api("post", "/restore", {"trashed": trashed})) == (404, "file_not_found")


def test_what_took_the_place_of_something_deleted_stays(api, run):
    saved(api, "/blaxel/a", "old")
    trashed = api("delete", path="/blaxel/a").json()["trashed"]
    saved(api, "/blaxel/a", "new")

    assert code(api("post", "/restore", {"trashed": trashed})) == (409, "file_exists")
    assert run("cat a")["stdout"] == "new"


def test_old_trash_is_thrown_away_by_the_next_deletion(api, run):
    run("touch a b")
    trashed = api("delete", path="/blaxel/a").json()["trashed"]
    run("touch -d '2 days ago' .manta/trash/*")

    api("delete", path="/blaxel/b")
    run("while [ $(ls .manta/trash | wc -l) != 1 ]; do sleep 0.1; done")

    assert code(api("post", "/restore", {"trashed": trashed})) == (404, "file_not_found")


def test_forever_is_forever(api, run):
    run("mkdir -p f/g; touch f/g/a")

    assert api("delete", path="/blaxel/f", forever=True).json() == {"trashed": None}
    assert "f" not in entries(api)
    assert ".manta" not in run("ls -A")["stdout"].split()


@pytest.mark.parametrize("trashed", ["", "x", "WyJhIl0:1x:x"])
def test_what_is_no_mark_of_a_deletion_restores_nothing(api, trashed):
    assert api("post", "/restore", {"trashed": trashed}).status_code in (400, 404)


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


def test_contents_are_searched_with_their_lines(api, run):
    run(
        "mkdir -p s/node_modules; printf 'x\\nSome Words here\\n' > 's/a b#'; "
        "cp 's/a b#' s/node_modules; (head -c 3000 /dev/zero | tr '\\0' y; echo ' words') > s/long"
    )

    found = api("get", "/search", path="/blaxel/s", query="words", **{"in": "contents"}).json()

    by_path = {match["path"]: match for match in found["matches"]}
    assert set(by_path) == {"/blaxel/s/a b#", "/blaxel/s/long"}
    assert by_path["/blaxel/s/a b#"]["line"] == 2
    assert by_path["/blaxel/s/a b#"]["text"] == "Some Words here"
    assert len(by_path["/blaxel/s/long"]["text"]) < 300
    assert found["more"] is False


def test_names_with_letters_of_a_glob_are_searched_as_they_are(api, run):
    run("mkdir g; cd g; touch 'a[1].txt' a1.txt 'x*y' xzy 'one,two'")

    def names(query):
        found = api("get", "/search", path="/blaxel/g", query=query).json()
        return [match["path"].rpartition("/")[2] for match in found["matches"]]

    assert (names("[1]"), names("X*"), names(",T")) == (["a[1].txt"], ["x*y"], ["one,two"])


def test_what_the_sandbox_does_not_allow_is_said_so(api):
    made_there = api("post", "/folder", {"path": "/usr/new"})
    deleted = api("delete", path="/usr/bin", forever=False)

    assert code(made_there) == code(deleted) == (403, "file_denied")


def test_a_full_disk_is_said_so(api, provider):
    full = b'{"error": "open /blaxel/a: no space left on device"}'
    error = files.explained("/blaxel/a", full.decode())

    assert error is not None and error.code == "disk_full"


def test_a_sandbox_that_is_not_ready_is_not_reached(api, made):
    made.phase = "deleting"
    made.save()

    assert code(api("get", path="/blaxel")) == (409, "being_deleted")
