"""Files that can't be read or changed, and the reason: by code and status, never by words."""

import json

import pytest

from sandboxes import errors
from sandboxes.data_plane import files
from tests.support.files_api import code, entries

pytestmark = pytest.mark.data_plane


@pytest.fixture
def api(files_api):
    return files_api


def test_what_the_kernel_makes_up_is_read_or_says_why_not(api):
    version = api("get", path="/proc/version").json()
    answers = [
        api("get", path=path)
        for path in ("/proc/kcore", "/proc/kmsg", "/proc/self/mem", "/proc/self/clear_refs")
    ]

    assert version["content"].startswith("Linux version")
    told = [(each.status_code, each.json().get("why"), each.json().get("code")) for each in answers]
    assert all(
        each in ((200, "unreadable", None), (200, "too_large", None), (404, None, "file_not_found"))
        for each in told
    ), told


def test_a_folder_that_is_closed_says_so_and_everything_else_works(api, run):
    run("mkdir -p app/closed app/open; touch app/closed/a app/open/needle; chmod 000 app/closed")

    closed = api("get", path="/blaxel/app/closed")
    names = list(entries(api, "/blaxel/app"))
    run("mkdir app/listed && touch app/listed/a && chmod 444 app/listed")
    listed = entries(api, "/blaxel/app/listed")
    found = api("get", "/search", path="/blaxel/app", query="needle").json()["matches"]
    trashed = api("delete", path="/blaxel/app/closed").json()["trashed"]
    back = api("post", "/restore", {"trashed": trashed})
    mode = run("stat -c %a app/closed; chmod 755 app/closed")["stdout"]

    assert code(closed) == (403, "file_denied")
    assert listed["a"]["modifiedAt"] is None
    assert {"closed", "open"} <= set(names)
    assert [match["path"] for match in found] == ["/blaxel/app/open/needle"]
    assert (back.status_code, mode) == (200, "0\n")


@pytest.mark.exhaustive
def test_what_the_sandbox_does_not_allow_is_said_so(api, run):
    run("mkdir closed; touch closed/a; chmod 000 closed")
    answers = [
        api("post", "/folder", {"path": "/dev/new"}),
        api("delete", path="/dev/null", forever=False),
        api("post", "/move", {"source": "/dev/shm", "destination": "/blaxel/lib"}),
        api("delete", path="/blaxel/closed/a"),
        api("post", "/move", {"source": "/blaxel/closed/a", "destination": "/blaxel/a"}),
        api("post", "/folder", {"path": "/blaxel/closed/new"}),
    ]
    run("chmod 755 closed")

    assert [code(answer) for answer in answers] == [(403, "file_denied")] * 6
    # Nothing is copied that can't be moved.
    assert run("ls -d lib .manta/trash/*")["stdout"] == ""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # What Blaxel's server says has no code.
        ({"error": "open /blaxel/a: no space left on device"}, "disk_full"),
        ({"error": "open /no such file: permission denied"}, "file_denied"),
        ({"error": "mkdir /busy/no space left on device: read-only file system"}, "file_denied"),
        ({"error": "remove /a: permission denied: device or resource busy"}, "bad_path"),
        ({"error": "open /a: no such file or directory", "code": "EACCES"}, "file_denied"),
        ({"error": "read /proc/1/mem: input/output error"}, "file_denied"),
        ({"error": "is a directory", "code": "ENOENT"}, "file_not_found"),
    ],
)
def test_an_error_is_known_by_its_code_or_by_the_message_that_ends_it(hostile, body, expected):
    hostile.answer = hostile.say(json.dumps(body).encode(), status=422)

    with pytest.raises(errors.FileError) as raised:
        files.read(hostile.reach, "/a", 10)

    assert raised.value.code == expected


def test_a_file_of_the_kernels_that_is_served_as_empty_is_read_in_json(hostile):
    """As Blaxel's server answers for /proc."""
    empty = hostile.say(b"", Content_Disposition="attachment", Content_Length="0")
    told = hostile.say(b'{"content": "Linux"}')
    hostile.answer = lambda handler: (
        told(handler) if "json" in handler.headers["Accept"] else empty(handler)
    )

    assert files.read(hostile.reach, "/proc/version", 100).data == b"Linux"
    assert files.read(hostile.reach, "/blaxel/empty", 100).data == b""


@pytest.mark.exhaustive
@pytest.mark.parametrize("folder", ["busybox", "no such file", "not a directory"])
def test_names_of_folders_decide_nothing(api, run, folder):
    run(f"mkdir -p '{folder}/inner' && touch '{folder}/a' && chmod 555 '{folder}'")
    path = f"/blaxel/{folder}"

    answers = [
        api("put", "", {"path": f"{path}/new", "content": "", "version": None}),
        api("post", "/folder", {"path": f"{path}/new"}),
        api("post", "/move", {"source": f"{path}/a", "destination": "/blaxel/b"}),
        api("delete", path=f"{path}/a"),
        api("delete", path=f"{path}/inner", forever=True),
    ]
    run(f"chmod 755 '{folder}'")

    assert [code(each) for each in answers] == [(403, "file_denied")] * 5


def test_a_sandbox_that_is_not_ready_is_not_reached(api, made):
    made.phase = "deleting"
    made.save()

    assert code(api("get", path="/blaxel")) == (409, "being_deleted")
