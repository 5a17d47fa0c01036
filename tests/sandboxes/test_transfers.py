"""Files of any size, through a real web process, in and out of a real sandbox."""

import asyncio
import hashlib
import io
import os
import tarfile
import time

import httpx
import pytest
from django.contrib.sessions.models import Session

from tests.factories import make_token
from tests.local_blaxel.running import until
from tests.sandboxes.live.running import PATIENCE, cookie_of

CONTENT, ARCHIVE = "/api/sandbox/files/content", "/api/sandbox/files/archive"


@pytest.fixture
def program(web, made):
    raw = make_token(made.owner, "files:read", "files:write")
    headers = {"Authorization": f"Bearer {raw}"}
    with httpx.Client(base_url=web.url, headers=headers, trust_env=False, timeout=90) as http:
        yield http


@pytest.fixture
def run(made, provider):
    return lambda command: provider.server.run(made.name, command, workingDir="/blaxel")


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
        until(lambda: provider.server.http.get(uploads).json()["uploads"], PATIENCE)
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
    until(lambda: provider.server.http.get(uploads).json() == {"uploads": []}, PATIENCE)
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


def test_a_sign_out_ends_a_download(web, made, run):
    run("head -c 400000000 /dev/zero > big")
    asked = {"params": {"path": "/blaxel/big"}, "headers": {"Cookie": cookie_of(made.owner)}}

    with (
        httpx.Client(base_url=web.url, trust_env=False, timeout=PATIENCE) as http,
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
