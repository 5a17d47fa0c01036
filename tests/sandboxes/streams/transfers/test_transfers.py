"""Files of any size, through a real web process, in and out of a real sandbox."""

import asyncio
import hashlib
import importlib
import io
import os
import tarfile
import time
from collections import Counter

import httpx
import pytest
from django.contrib.sessions.models import Session

from sandboxes.data_plane import files
from sandboxes.data_plane.async_client import close_streaming_client
from sandboxes.services.files import MAX_TEXT
from tests.support.factories import make_token
from tests.support.waiting import wait_until
from tests.support.web_process import TIMEOUT, cookie_of

pytestmark = pytest.mark.data_plane

# Its package has a function of that name.
archive = importlib.import_module("sandboxes.streams.transfers.archive")
CONTENT, ARCHIVE = "/api/sandbox/files/content", "/api/sandbox/files/archive"


@pytest.fixture
def program(web, made):
    raw = make_token(made.owner, "files:read", "files:write")
    headers = {"Authorization": f"Bearer {raw}"}
    with httpx.Client(base_url=web.url, headers=headers, trust_env=False, timeout=90) as http:
        yield http


def sum_of(run, name):
    return run(f"sha256sum < '{name}'")["stdout"].split()[0]


def put(program, path, content, **params):
    return program.put(CONTENT, params={"path": path, **params}, content=content)


def test_60_mb_go_up_and_down_whole(program, run):
    data = os.urandom(2**20) * 60

    up = put(program, "/blaxel/new folder/big", data)
    down = program.get(CONTENT, params={"path": "/blaxel/new folder/big"})

    assert (up.status_code, up.json()) == (201, {"size": len(data)})
    assert sum_of(run, "new folder/big") == hashlib.sha256(data).hexdigest()
    assert down.content == data


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["<b>.html", 'say "hi"', "a\nb", "100%#?", "🦈.svg", "-rf"])
def test_a_download_is_never_a_page_whatever_its_name(program, name):
    put(program, f"/blaxel/{name}", b"<script>")

    response = program.get(CONTENT, params={"path": f"/blaxel/{name}"})

    assert response.content == b"<script>"
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_part_of_a_file_can_be_had(program):
    put(program, "/blaxel/a", b"0123456789")

    response = program.get(CONTENT, params={"path": "/blaxel/a"}, headers={"Range": "bytes=2-4"})

    assert (response.status_code, response.content) == (206, b"234")
    assert response.headers["Content-Range"] == "bytes 2-4/10"


@pytest.mark.parametrize(
    "asked",
    ["bytes=abc", "bytes=5-2", "lines=1-2", "bytes=-", "bytes=0-1,4-5", "bytes=" + "9" * 5000],
)
def test_what_asks_for_no_one_part_gets_the_whole(program, asked):
    put(program, "/blaxel/a", b"0123456789")

    response = program.get(CONTENT, params={"path": "/blaxel/a"}, headers={"Range": asked})

    assert (response.status_code, response.content) == (200, b"0123456789")


def test_an_empty_file_is_one(program):
    put(program, "/blaxel/empty", b"")

    assert program.get(CONTENT, params={"path": "/blaxel/empty"}).content == b""


def test_an_upload_overwrites_only_when_told_to(program):
    put(program, "/blaxel/a", b"one")

    refused = put(program, "/blaxel/a", b"two")
    allowed = put(program, "/blaxel/a", b"two", overwrite="true")

    assert (refused.status_code, refused.json()["code"]) == (409, "file_exists")
    assert allowed.status_code == 201
    assert program.get(CONTENT, params={"path": "/blaxel/a"}).content == b"two"


def test_an_upload_to_a_folder_says_that_it_is_one(program):
    refused = put(program, "/blaxel", b"one")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_a_file")


def test_a_look_tells_whether_a_file_is_there_without_its_content(program):
    put(program, "/blaxel/a", b"0123456789")

    there = program.head(CONTENT, params={"path": "/blaxel/a"})
    gone = program.head(CONTENT, params={"path": "/blaxel/b"})

    assert (there.status_code, there.headers["Content-Length"]) == (200, "10")
    assert (gone.status_code, gone.content) == (404, b"")


def test_a_large_upload_does_not_overwrite_what_was_made_meanwhile(made, provider, program, run):
    uploads = provider.server.inside(made.name, "/filesystem-multipart")

    def body():
        yield bytes(5 * 2**20)
        wait_until(lambda: provider.server.http.get(uploads).json()["uploads"], TIMEOUT)
        run("printf theirs > a")
        yield bytes(5 * 2**20)

    refused = put(program, "/blaxel/a", body())

    assert (refused.status_code, refused.json()["code"]) == (409, "file_exists")
    assert program.get(CONTENT, params={"path": "/blaxel/a"}).content == b"theirs"
    assert provider.server.http.get(uploads).json() == {"uploads": []}


@pytest.mark.parametrize("size", [10, 5 * 2**20])
def test_a_program_that_is_overwritten_stays_one(program, run, size):
    run("touch a; chmod 751 a; ln -s a link")

    put(program, "/blaxel/link", bytes(size), overwrite="true").raise_for_status()

    assert run("stat -c '%a %s' a")["stdout"] == f"751 {size}\n"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/blaxel/none", 404, "file_not_found"),
        ("/blaxel", 409, "not_a_file"),
        ("none", 400, "invalid"),
        ("/a\0", 400, "invalid"),
    ],
)
def test_what_can_not_be_downloaded_says_why(program, path, status, code):
    response = program.get(CONTENT, params={"path": path})

    assert (response.status_code, response.json()["code"]) == (status, code)


def test_an_upload_that_breaks_off_leaves_nothing(web, made, provider, program):
    async def broken():
        async def body():
            for _ in range(12):
                yield bytes(2**20)
            raise RuntimeError

        async with httpx.AsyncClient(base_url=web.url, headers=program.headers) as http:
            await http.put(CONTENT, params={"path": "/blaxel/a"}, content=body())

    with pytest.raises(RuntimeError):
        asyncio.run(broken())

    uploads = provider.server.inside(made.name, "/filesystem-multipart")
    wait_until(lambda: provider.server.http.get(uploads).json() == {"uploads": []}, TIMEOUT)
    assert program.get(CONTENT, params={"path": "/blaxel/a"}).status_code == 404


def test_a_folder_comes_as_an_archive(program, run):
    odd = ["with space", "it's", "a#?%", "new\nline", "🦈", "-rf", "n" * 200]
    run("mkdir -p f/empty f/sub; ln -s sub/gone f/link; ln -s sub f/folder; mkfifo f/pipe")
    for name in odd:
        put(program, f"/blaxel/f/sub/{name}", name.encode() * 1000)

    response = program.get(ARCHIVE, params={"path": "/blaxel/f"})

    with tarfile.open(fileobj=io.BytesIO(response.content)) as tar:
        found = {member.name: member for member in tar}
        texts = {name: tar.extractfile(found[f"f/sub/{name}"]).read() for name in odd}
        note = tar.extractfile(found["f/NOT IN THIS ARCHIVE.txt"]).read()
    assert texts == {name: name.encode() * 1000 for name in odd}
    assert found["f/empty"].isdir()
    assert (found["f/link"].linkname, found["f/folder"].linkname) == ("sub/gone", "sub")
    assert b"/blaxel/f/pipe" in note
    assert 'filename="f.tar.gz"' in response.headers["Content-Disposition"]


@pytest.mark.exhaustive
def test_links_are_links_in_an_archive_however_many_they_are(program, run):
    run("mkdir -p f/to; echo data > f/to/file; cd f; for i in $(seq 1200); do ln -s to l$i; done")

    response = program.get(ARCHIVE, params={"path": "/blaxel/f"})

    with tarfile.open(fileobj=io.BytesIO(response.content)) as tar:
        kinds = Counter((member.type, member.linkname) for member in tar)
    assert kinds == {
        (tarfile.DIRTYPE, ""): 2,
        (tarfile.REGTYPE, ""): 1,
        (tarfile.SYMTYPE, "to"): 1200,
    }


def test_what_may_be_a_link_is_noted_when_nobody_can_tell(program, run, hostile):
    """A folder's listing, in place of a file, is never put into an archive."""
    listed = files.Listing(
        files=[{"name": "maybe", "permissions": "777", "size": 2}, {"name": "not"}], folders=[]
    )
    body = b'{"exitCode": 1, "files": [], "subdirectories": []}'
    kind = {"Content_Type": "application/json", "Content_Length": str(len(body))}
    hostile.answer = hostile.say(body, **kind)

    async def read():
        made = archive._Archive(hostile.reach, "/d", "d")
        try:
            return b"".join([block async for block in made.blocks(listed)])
        finally:
            await close_streaming_client()

    with tarfile.open(fileobj=io.BytesIO(asyncio.run(read()))) as tar:
        names = tar.getnames()
        note = tar.extractfile("d/NOT IN THIS ARCHIVE.txt").read().decode()
    assert names == ["d", "d/NOT IN THIS ARCHIVE.txt"]
    assert "/d/maybe: whether it is a link is not known." in note
    assert "/d/not: it is no longer a file." in note


def test_a_sign_out_ends_a_download(web, made, run):
    run("head -c 400000000 /dev/zero > big")
    asked = {"params": {"path": "/blaxel/big"}, "headers": {"Cookie": cookie_of(made.owner)}}

    with (
        httpx.Client(base_url=web.url, trust_env=False, timeout=TIMEOUT) as http,
        http.stream("GET", CONTENT, **asked) as response,
    ):
        content = response.iter_raw()
        next(content)
        Session.objects.all().delete()

        with pytest.raises(httpx.RemoteProtocolError):
            read_slowly(content)


def read_slowly(content):
    for _ in content:
        time.sleep(0.01)


def test_a_stranger_and_another_user_get_nothing(web, made, bob, program):
    put(program, "/blaxel/a", b"secret")
    raw = make_token(bob, "files:read", "files:write")

    def status(method, route, headers):
        return httpx.request(
            method, web.url + route, params={"path": "/blaxel/a"}, headers=headers, trust_env=False
        ).status_code

    asked = [("GET", CONTENT), ("PUT", CONTENT), ("GET", ARCHIVE)]
    assert [status(*each, {}) for each in asked] == [401] * 3
    assert [status(*each, {"Authorization": f"Bearer {raw}"}) for each in asked] == [404] * 3
    cookie = {"Cookie": cookie_of(made.owner), "Origin": "http://evil.example"}
    assert status("PUT", CONTENT, cookie) == 403


@pytest.mark.exhaustive
def test_a_folder_may_be_deeper_than_python_calls(monkeypatch):
    deep = 3_000

    async def listed(url, path):
        return files.Listing(files=[], folders=["d"] if path.count("/") < deep else [])

    async def read():
        made = archive._Archive("http://none", "/d", "d")
        return b"".join([block async for block in made.blocks(await listed("", "/d"))])

    monkeypatch.setattr(archive, "_listed", listed)

    with tarfile.open(fileobj=io.BytesIO(asyncio.run(read()))) as tar:
        assert len(tar.getmembers()) == deep


@pytest.mark.parametrize(
    "listed",
    [
        {"files": [{"name": "a", "permissions": "9", "lastModified": "never", "size": "x" * 99}]},
        {"files": [{"name": 7}, "a", None, {"name": "../up"}], "subdirectories": 3},
        {"files": {"a": 1}, "subdirectories": [{}, {"name": ".."}, {"name": "a/b"}]},
    ],
)
def test_a_listing_of_no_sense_ends_no_archive(hostile, listed):
    hostile.answer = hostile.say(b"x", Content_Disposition="attachment", Content_Length="1")

    async def read():
        made = archive._Archive(hostile.reach, "/d", "d")
        try:
            first = files.listing(hostile.reach, "/d", listed)
            return b"".join([block async for block in made.blocks(first)])
        finally:
            await close_streaming_client()

    with tarfile.open(fileobj=io.BytesIO(asyncio.run(read()))) as tar:
        assert {member.name for member in tar} <= {"d", "d/a"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("character", ["\x01", '"', "é"])
def test_a_text_as_long_as_one_may_be_is_saved_whatever_is_in_it(program, run, character):
    text = character * (MAX_TEXT // len(character.encode()))

    body = {"path": "/blaxel/most.txt", "content": text, "version": None}
    saved = program.put("/api/sandbox/files", json=body)

    assert saved.status_code == 200, saved.text
    assert sum_of(run, "most.txt") == hashlib.sha256(text.encode()).hexdigest()


def test_what_nobody_may_read_is_refused_before_the_first_byte(program, run):
    run("printf secret > shut; chmod 000 shut; mkdir dark; chmod 000 dark")
    shut, dark = ({"path": f"/blaxel/{name}"} for name in ("shut", "dark"))

    answers = [
        program.get(CONTENT, params=shut),
        program.get(CONTENT, params=shut, headers={"Range": "bytes=0-2"}),
        program.get(CONTENT, params={"path": "/blaxel/dark/x"}),
        program.get(ARCHIVE, params=dark),
    ]
    look = program.head(CONTENT, params=shut)
    run("chmod 700 dark")

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (403, "file_denied")
    ] * 4
    assert look.status_code == 403


@pytest.mark.exhaustive
def test_an_archive_says_what_nobody_may_read(program, run):
    run("mkdir -p f; printf secret > f/shut; chmod 000 f/shut; printf open > f/open")

    packed = program.get(ARCHIVE, params={"path": "/blaxel/f"})

    with tarfile.open(fileobj=io.BytesIO(packed.content)) as found:
        assert found.getnames() == ["f", "f/open", f"f/{archive.NOTE}"]
        assert "/blaxel/f/shut" in found.extractfile(f"f/{archive.NOTE}").read().decode()


# A file system of its own inside a sandbox, which is soon full.
FULL = "/dev/shm"


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", [f"{FULL}/kept", "/blaxel/link", f"{FULL}/twin"])
@pytest.mark.parametrize("size", [300_001, 5 * 2**20])
def test_a_full_disk_keeps_what_is_there(program, run, path, size):
    run(f"head -c 300000 /dev/urandom > {FULL}/kept; chmod 640 {FULL}/kept; ln -s {FULL}/kept link")
    if path.endswith("twin"):
        run(f"ln {FULL}/kept {FULL}/twin")
    run(f"head -c 1G /dev/zero > {FULL}/fill")
    state = (
        f"stat -c '%a %h' {FULL}/kept; sha256sum < {FULL}/kept; ls -A {FULL}; ls -A | grep draft"
    )
    before = run(state)["stdout"]

    uploaded = put(program, path, bytes(size), overwrite="true")

    assert (uploaded.status_code, uploaded.json()["code"]) == (507, "disk_full")
    assert run(state)["stdout"] == before


def test_a_save_into_a_full_disk_keeps_what_was_saved_before(program, run):
    body = {"path": f"{FULL}/a.txt", "content": "x" * 300_000, "version": None}
    saved = program.put("/api/sandbox/files", json=body).json()
    run(f"head -c 1G /dev/zero > {FULL}/fill")

    body |= {"content": "y" * 300_001, "version": saved["version"]}
    refused = program.put("/api/sandbox/files", json=body)
    run(f"rm {FULL}/fill")
    allowed = program.put("/api/sandbox/files", json=body)

    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert allowed.status_code == 200, allowed.text


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", [10, 5 * 2**20])
def test_an_upload_keeps_permissions_and_links(program, run, size):
    run("mkdir box; cd box; printf 1 > two; chmod 751 two; ln two twin; ln -s two link")
    run("cd box; printf 1 > one; chmod 640 one; ln -s nowhere dangling")

    for name in ("link", "one", "dangling", "new"):
        answer = put(program, f"/blaxel/box/{name}", bytes(size), overwrite="true")
        assert answer.status_code == 201, answer.text

    assert run("cd box; stat -c '%n %a %h %s' *; ls -A | wc -l")["stdout"].splitlines() == [
        "dangling 777 1 7",
        "link 777 1 3",
        f"new 644 1 {size}",
        f"nowhere 644 1 {size}",
        f"one 640 1 {size}",
        f"twin 751 2 {size}",
        f"two 751 2 {size}",
        "7",
    ]
