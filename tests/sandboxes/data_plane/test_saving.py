"""A save: one transfer, and over the version that was read alone, whoever else writes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from sandboxes import errors
from sandboxes.data_plane import drafts, files
from sandboxes.data_plane.client import client
from sandboxes.services.files import MAX_TEXT, version_of
from tests.support.files_api import code, saved

pytestmark = pytest.mark.data_plane

PATH = "/blaxel/app/shared.txt"


@pytest.fixture
def api(files_api):
    return files_api


@pytest.fixture
def asked(made, monkeypatch):
    """The requests to the sandbox: method, and path without the part that is random."""
    paths = []
    start = len(made.reach.url.rstrip("/"))

    def note(request):
        paths.append(f"{request.method} {str(request.url)[start:].partition('-draft-')[0]}")

    hooks = {"request": [*client().event_hooks["request"], note]}
    monkeypatch.setattr(client(), "event_hooks", hooks)
    return paths


def write_together(reach, version, texts):
    """Write each text over one version at the same moment; those that were written."""
    ready = Barrier(len(texts))

    def write(text):
        ready.wait(30)
        try:
            drafts.write(reach, PATH, text, version=version, most=MAX_TEXT)
        except (errors.ChangedOnDisk, errors.FileExists):
            return None
        return text

    with ThreadPoolExecutor(len(texts)) as writers:
        return [text for text in writers.map(write, texts) if text is not None]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("times", "links"),
    [(100, ""), (20, "ln app/shared.txt app/twin")],
    ids=["replaced", "in-place"],
)
def test_of_two_writers_a_hundred_times_no_update_is_lost(made, run, times, links):
    run(f"printf begin > app/shared.txt; {links}")
    kept = files.read(made.reach, PATH, MAX_TEXT)
    wrong = []

    for number in range(times):
        texts = [f"{number} of {who} ".encode() * 2_000 for who in ("one", "another")]
        written = write_together(made.reach, version_of(kept), texts)
        kept = files.read(made.reach, PATH, MAX_TEXT)
        if written != [kept.data]:
            wrong.append((number, [text[:20] for text in written], kept.data[:20]))

    assert wrong == []


def test_of_two_who_make_a_file_one_is_told_that_it_is_there(made, run):
    wrong = []

    for number in range(10):
        run("rm -f app/shared.txt")
        written = write_together(made.reach, None, [b"one", b"another"])
        if written != [files.read(made.reach, PATH, MAX_TEXT).data]:
            wrong.append((number, written))

    assert wrong == []


def test_a_save_is_one_transfer_and_a_script(api, asked):
    new = saved(api, PATH, "one")
    first, asked[:] = list(asked), []
    saved(api, PATH, "two", new)

    expected = ["PUT /filesystem//blaxel/app/.manta", "POST /process"]
    assert (first, asked) == (expected, expected)


@pytest.fixture
def closed(run):
    """A folder in which no other file may be made than those that are there."""
    run("mkdir closed; printf old > closed/a; chmod 640 closed/a; ln -s closed/a link")
    run("chmod 555 closed")
    yield "/blaxel/closed/a"
    run("chmod 755 closed")


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["closed/a", "link"])
def test_a_file_is_saved_where_no_other_may_be_made(api, run, closed, name):
    path = f"/blaxel/{name}"
    inode = run("stat -c %i closed/a")["stdout"]
    version = api("get", path=path).json()["version"]

    saved(api, path, "much longer than it was", version)
    stale = api("put", "", {"path": path, "content": "new", "version": version})
    new = api("put", "", {"path": path, "content": "new", "version": None})

    assert run("cat closed/a; stat -c ' %a' closed/a")["stdout"] == "much longer than it was 640\n"
    assert run("stat -c %i closed/a")["stdout"] == inode
    assert (code(stale), code(new)) == ((409, "changed_on_disk"), (409, "file_exists"))
    assert run("find /blaxel /tmp -name '.manta-draft-*'")["stdout"] == ""


@pytest.mark.exhaustive
def test_a_file_that_may_not_be_written_where_no_other_may_be_made_stays(api, run, closed):
    run("chmod 440 closed/a")
    version = api("get", path=closed).json()["version"]

    refused = api("put", "", {"path": closed, "content": "new", "version": version})
    no_folder = api("put", "", {"path": "/blaxel/closed/b/c", "content": "", "version": None})

    assert (code(refused), code(no_folder)) == ((403, "file_denied"), (403, "file_denied"))
    assert run("cat closed/a; find /blaxel /tmp -name '.manta-draft-*'")["stdout"] == "old"


def test_writers_wait_for_one_another_where_a_folder_can_not_be_listed(made, run):
    run("mkdir app/hidden; printf begin > app/hidden/a; chmod 333 app/hidden")
    path, version = "/blaxel/app/hidden/a", version_of(files.Content(5, None, b"begin"))

    drafts.write(made.reach, path, b"next", version=version, most=MAX_TEXT)

    assert run("cat app/hidden/a; chmod 755 app/hidden; ls -A app/hidden")["stdout"] == "nexta\n"
