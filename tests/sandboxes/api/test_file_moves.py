"""Moving, deleting and restoring files in a real sandbox, over the REST API."""

import pytest

from tests.support.files_api import code, entries, saved

pytestmark = pytest.mark.data_plane


@pytest.fixture
def api(files_api):
    return files_api


def test_a_move_overwrites_files_only_when_told_to_and_folders_never(api, run):
    run("echo 1 > one; echo 2 > two; mkdir folder")

    def move(destination, **more):
        body = {"source": "/blaxel/one", "destination": f"/blaxel/{destination}", **more}
        return api("post", "/move", body)

    assert code(move("two")) == (409, "file_exists")
    assert code(move("folder", overwrite=True)) == (409, "file_exists")
    assert code(move("missing/one")) == (404, "folder_not_found")
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


def test_what_was_in_a_folder_that_is_gone_comes_back_with_it_or_elsewhere(api, run):
    run("mkdir -p gone/inner; echo one > gone/inner/a; echo two > gone/inner/b")
    first, second = (
        api("delete", path=f"/blaxel/gone/inner/{name}").json()["trashed"] for name in "ab"
    )
    run("rm -r gone")

    refused = api("post", "/restore", {"trashed": first})
    whole = api("post", "/restore", {"trashed": first, "makeFolders": True})
    elsewhere = api("post", "/restore", {"trashed": second, "destination": "/blaxel/c"})

    assert code(refused) == (404, "folder_not_found")
    assert "/blaxel/gone/inner" in refused.json()["error"]
    assert whole.json() == {"path": "/blaxel/gone/inner/a"}
    assert elsewhere.json() == {"path": "/blaxel/c"}
    assert run("cat gone/inner/a c")["stdout"] == "one\ntwo\n"


def test_a_move_into_a_folder_that_is_not_there_names_it(api, run):
    run("touch a")

    answer = api("post", "/move", {"source": "/blaxel/a", "destination": "/blaxel/none/a"})

    assert code(answer) == (404, "folder_not_found")
    assert "/blaxel/none" in answer.json()["error"]


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
