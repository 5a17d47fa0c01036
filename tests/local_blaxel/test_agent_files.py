"""``/filesystem``, with the path rules of Blaxel's server."""

import json

import httpx
import pytest


def test_a_file_is_written_and_read_back(agent, folder):
    path = f"{folder}/new/deep/a b.txt"

    written = agent.put(f"/filesystem/{path}", json={"content": "héllo\n"})
    file = agent.get(f"/filesystem/{path}").json()

    assert written.json() == {"path": path, "message": "File created/updated successfully"}
    assert file.pop("lastModified").endswith("Z")
    assert file == {
        "path": path,
        "name": "a b.txt",
        "permissions": "644",
        "size": 7,
        "owner": "blaxel",
        "group": "blaxel",
        "content": "héllo\n",
    }


def test_a_second_write_replaces_what_the_first_has_left(agent, folder):
    path = f"{folder}/note"

    for content in ("the first, which is longer", "the second", ""):
        agent.put(f"/filesystem/{path}", json={"content": content}).raise_for_status()

        assert agent.get(f"/filesystem/{path}").json()["content"] == content


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        ("/filesystem/", "/blaxel"),
        ("/filesystem", "/blaxel"),
        ("/filesystem//", "/"),
        ("/filesystem/%2F", "/"),
        ("/filesystem//tmp", "/tmp"),
        ("/filesystem///tmp//", "/tmp"),
        ("/filesystem/%2Ftmp", "/tmp"),
        ("/filesystem/%2ftmp", "/tmp"),
        ("/filesystem/.venv", "/blaxel/.venv"),
        ("/filesystem/.venv/bin", "/blaxel/.venv/bin"),
        ("/filesystem/~", "/blaxel"),
        ("/filesystem/~/.venv", "/blaxel/.venv"),
        ("/filesystem/%2e%2e/%2e%2e/%2e%2e", "/"),
        ("/filesystem//tmp/%2e./etc", "/etc"),
        ("/filesystem//%2e%2e/%2e%2e/etc", "/etc"),
        ("/filesystem/tree", "/"),
        ("/filesystem/tree/", "/"),
        ("/filesystem/tree/tmp", "/tmp"),
        ("/filesystem/tree//tmp", "/tmp"),
    ],
)
def test_the_raw_url_says_which_directory_is_meant(agent, wire, path):
    listing = agent.get(httpx.URL("http://sandbox").copy_with(raw_path=wire.encode()))

    assert listing.status_code == 200
    assert listing.json()["path"] == path


def test_a_directory_is_listed_one_level_deep_with_links_as_files(agent, folder):
    agent.run(f"cd {folder} && mkdir sub sub/deep && echo hi > b && ln -s / a && ln -s nowhere c")

    listing = agent.get(f"/filesystem/{folder}").json()

    assert listing["path"] == folder
    assert [file["name"] for file in listing["files"]] == ["a", "b", "c"]
    assert listing["files"][1]["path"] == f"{folder}/b"
    assert listing["subdirectories"] == [{"path": f"{folder}/sub", "name": "sub"}]


@pytest.mark.parametrize(
    ("headers", "query"),
    [({"accept": "application/octet-stream"}, ""), ({"accept": "*/*"}, "?download=true")],
)
def test_the_raw_form_is_the_bytes_themselves(agent, folder, headers, query):
    agent.run(f"printf 'a\\0\\377' > {folder}/x.bin")

    answer = agent.get(f"/filesystem/{folder}/x.bin{query}", headers=headers)

    assert answer.content == b"a\0\xff"
    assert 'filename="x.bin"' in answer.headers["content-disposition"]


def test_a_range_of_the_raw_form_can_be_asked_for(agent, folder):
    agent.write(f"{folder}/digits", "0123456789")
    headers = {"accept": "application/octet-stream", "range": "bytes=2-4"}

    answer = agent.get(f"/filesystem/{folder}/digits", headers=headers)

    assert (answer.status_code, answer.text) == (206, "234")
    assert answer.headers["content-range"] == "bytes 2-4/10"


@pytest.mark.parametrize("size", [0, 9, 300_000])
def test_a_raw_file_says_if_programs_may_write_to_it(agent, folder, size):
    headers, path = {"accept": "application/octet-stream"}, f"{folder}/f"
    agent.run(f"head -c {size} /dev/zero > {path}")

    told = []
    for mode in ("644", "444"):
        agent.run(f"chmod {mode} {path}")
        answer = agent.get(f"/filesystem/{path}", headers=headers)
        told.append((answer.headers["x-local-blaxel-writable"], len(answer.content)))

    assert told == [("true", size), ("false", size)]


def test_bytes_that_are_not_utf8_are_replaced_in_json(agent, folder):
    agent.run(f"printf 'a\\377b' > {folder}/latin")

    assert agent.read(f"{folder}/latin") == "a�b"


def test_a_file_name_that_is_not_utf8_can_be_listed_read_and_deleted(agent, folder):
    agent.run(f"echo hi > {folder}/$(printf 'a\\377')")

    listing = agent.get(f"/filesystem/{folder}")
    content = agent.get(f"/filesystem/{folder}/a%FF")
    deleted = agent.delete(f"/filesystem/{folder}/a%FF")

    assert [file["name"] for file in listing.json()["files"]] == ["a\udcff"]
    assert content.json()["content"] == "hi\n"
    assert deleted.status_code == 200


def test_files_of_proc_that_claim_to_be_empty_are_read(agent):
    headers = {"accept": "application/octet-stream"}

    assert "MemTotal" in agent.read("/proc/meminfo")
    assert b"MemTotal" in agent.get("/filesystem//proc/meminfo", headers=headers).content


def test_permissions_are_set_when_given_and_kept_when_not(agent, folder):
    path = f"/filesystem/{folder}/script"

    agent.put(path, json={"content": "#!/bin/sh\n", "permissions": "0755"})
    agent.put(path, json={"content": "#!/bin/sh\necho changed\n"})

    assert agent.get(path).json()["permissions"] == "755"
    assert agent.run(f"{folder}/script").output == "changed\n"


@pytest.mark.parametrize("permissions", ["abc", "9", "-1", "77777"])
def test_permissions_that_are_not_octal_are_refused(agent, folder, permissions):
    body = {"content": "", "permissions": permissions}

    answer = agent.put(f"/filesystem/{folder}/x", json=body)

    assert answer.status_code == 400
    assert "permissions" in answer.json()["error"]


def test_a_directory_is_made_with_its_parents(agent, folder):
    body = {"isDirectory": True, "permissions": "0700"}

    answer = agent.put(f"/filesystem/{folder}/a/b", json=body)

    assert answer.json()["message"] == "Directory created successfully"
    assert agent.run(f"stat -c %a {folder}/a/b").output == "700\n"


def test_an_upload_as_a_form_is_stored_with_permissions_that_follow_the_file(agent, folder):
    data = bytes(range(256)) * 20_000
    form = {"file": ("ignored", data), "permissions": (None, "0600"), "path": (None, "/ignored")}

    answer = agent.put(f"/filesystem/{folder}/up.bin", files=form)
    back = agent.get(f"/filesystem/{folder}/up.bin?download=true")

    assert answer.json()["message"] == "Binary file uploaded successfully"
    assert back.content == data
    assert agent.run(f"stat -c %a {folder}/up.bin").output == "600\n"


@pytest.mark.parametrize("form", [{"other": ("x", b"")}, {"file": (None, "text")}])
def test_a_form_without_a_file_is_refused(agent, folder, form):
    assert agent.put(f"/filesystem/{folder}/x", files=form).status_code == 400


def test_a_broken_form_is_refused(agent, folder):
    headers = {"content-type": "multipart/form-data"}

    answer = agent.put(f"/filesystem/{folder}/x", content=b"zzz", headers=headers)

    assert answer.status_code == 400


@pytest.mark.parametrize(("charset", "status"), [("hex", 200), ("undefined", 400)])
def test_a_form_names_any_charset_and_breaks_nothing(agent, folder, charset, status):
    headers = {"content-type": f"multipart/form-data; boundary=b; charset={charset}"}
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\ndata\r\n--b--\r\n'
    )

    answer = agent.put(f"/filesystem/{folder}/x", content=form, headers=headers)

    assert answer.status_code == status


def test_what_is_missing_is_a_json_404(agent):
    answer = agent.get("/filesystem//nowhere/at/all")

    assert answer.status_code == 404
    error = "stat /nowhere/at/all: no such file or directory"
    assert answer.json() == {"error": error, "code": "ENOENT"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_nul_in_the_path_is_refused(agent, method):
    answer = agent.request(method, "/filesystem//tmp/a%00b")

    assert answer.status_code == 400
    assert "NUL" in answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["/dev/x", "/opt/local_blaxel/x", "/etc/nsswitch.conf/x", "/proc/version"]
)
def test_what_cannot_be_written_is_a_422_with_the_reason(agent, path):
    answer = agent.put(f"/filesystem/{path}", json={"content": "x"})

    assert answer.status_code == 422
    assert path in answer.json()["error"]


@pytest.mark.parametrize("path", ["pipe", "/dev/zero", "/dev/null"])
def test_pipes_and_devices_are_neither_read_nor_written(agent, folder, path):
    agent.run(f"mkfifo {folder}/pipe")
    path = path if path.startswith("/") else f"{folder}/{path}"

    read = agent.get(f"/filesystem/{path}")
    raw = agent.get(f"/filesystem/{path}?download=true")
    written = agent.put(f"/filesystem/{path}", json={"content": "x"})

    assert [read.status_code, raw.status_code, written.status_code] == [422, 422, 422]


def test_deleting_needs_recursive_for_a_full_directory(agent, folder):
    agent.run(f"mkdir -p {folder}/full/x && touch {folder}/file && ln -s /usr {folder}/link")

    refused = agent.delete(f"/filesystem/{folder}/full")
    deleted = agent.delete(f"/filesystem/{folder}/full?recursive=true")
    file = agent.delete(f"/filesystem/{folder}/file")
    link = agent.delete(f"/filesystem/{folder}/link?recursive=true")

    assert (refused.status_code, deleted.status_code) == (422, 200)
    assert file.json() == {"path": f"{folder}/file", "message": "File deleted successfully"}
    assert link.status_code == 200
    assert agent.run(f"ls -A {folder}; ls /usr/bin/env").output == "/usr/bin/env\n"


def test_deleting_what_is_missing_is_a_404(agent):
    assert agent.delete("/filesystem//nowhere").status_code == 404


@pytest.mark.exhaustive
def test_a_very_deep_directory_can_be_deleted(agent, folder):
    dig = "import os\nfor _ in range(2000): os.mkdir('d'), os.chdir('d')"
    agent.run(f'python3 -c "{dig}"', workingDir=folder)

    assert agent.delete(f"/filesystem/{folder}?recursive=true").status_code == 200


def test_a_tree_is_written_at_once(agent, folder):
    files = {"root.txt": "one", "nested/child.txt": "two", "/abs.txt": "three"}

    answer = agent.put(f"/filesystem/tree/{folder}/new", json={"files": files}).json()

    assert answer["path"] == f"{folder}/new"
    assert [file["name"] for file in answer["files"]] == ["abs.txt", "root.txt"]
    assert answer["subdirectories"] == [{"path": f"{folder}/new/nested", "name": "nested"}]
    assert agent.read(f"{folder}/new/nested/child.txt") == "two"
    assert agent.get(f"/filesystem/tree/{folder}/new").json() == answer


def test_a_tree_is_read_with_its_contents(agent, folder):
    agent.run(f"cd {folder} && mkdir -p a/b .git node_modules && echo 1 > a/b/x.json")
    agent.run(
        f"cd {folder} && echo 2 > y.md && echo 3 > .git/z.json && echo 4 > node_modules/n.json"
    )
    agent.run(f"cd {folder} && ln -s y.md link.json && ln -s / loop && mkfifo pipe.json")
    query = (
        "recursive=true&content=true&patterns=*.json&excludeDirs=node_modules&excludeHidden=true"
    )

    tree = agent.get(f"/filesystem/tree/{folder}?{query}").json()

    contents = {file["path"]: file.get("content") for file in tree["files"]}
    assert tree["recursive"] is True
    assert contents == {
        f"{folder}/a/b/x.json": "1\n",
        f"{folder}/link.json": "2\n",
        f"{folder}/pipe.json": None,
    }
    assert [found["path"] for found in tree["subdirectories"]] == [f"{folder}/a", f"{folder}/a/b"]


@pytest.mark.parametrize("limit", ["maxFiles=2", "content=true&maxBytes=5"])
def test_a_tree_over_the_limit_is_refused_whole(agent, folder, limit):
    agent.run(f"cd {folder} && echo 1 > a && echo 2 > b && echo 3 > c")

    answer = agent.get(f"/filesystem/tree/{folder}?recursive=true&{limit}")

    assert answer.status_code == 422


def test_a_tree_of_a_file_is_refused(agent, folder):
    agent.write(f"{folder}/x", "")

    assert agent.get(f"/filesystem/tree/{folder}/x").status_code == 400


def test_a_tree_is_deleted(agent, folder):
    agent.run(f"mkdir -p {folder}/t/u && touch {folder}/t/u/v")

    refused = agent.delete(f"/filesystem/tree/{folder}/t")
    deleted = agent.delete(f"/filesystem/tree/{folder}/t?recursive=true")

    assert (refused.status_code, deleted.status_code) == (422, 200)


def test_an_upload_that_ends_early_leaves_the_file_as_it_was(agent, folder):
    agent.write(f"{folder}/kept", "before")
    body = json.dumps({"content": "after"}).encode()
    head = (
        f"PUT /filesystem/{folder}/kept HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    )

    agent.send_raw(head.encode() + body[:-5])

    assert agent.read(f"{folder}/kept") == "before"


def test_ten_megabytes_go_in_and_out(agent, folder):
    data = bytes(10 * 2**20)

    agent.put(f"/filesystem/{folder}/ten", files={"file": ("ten", data)}).raise_for_status()

    assert agent.get(f"/filesystem/{folder}/ten?download=true").content == data
