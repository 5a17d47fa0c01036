"""One entry that is closed, odd or gone again fails nothing else in its folder."""

import errno
import json
import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_blaxel.agent import copies, files

RAW = {"accept": "application/octet-stream"}
# Makes folders and files and removes them again, for as long as it runs.
CHURN = "while :; do mkdir -p {0}/x/y/z; echo a >{0}/f; echo b >{0}/x/g; rm -rf {0}/f {0}/x; done"


@contextmanager
def watched(agent, folder):
    """The changes below a folder, as they come."""
    with agent.stream("GET", f"/watch/filesystem/{folder}/**") as answer:
        assert answer.status_code == 200, answer.read()
        yield map(json.loads, answer.iter_lines())


@contextmanager
def churn(agent, folder):
    process = agent.execute(CHURN.format(folder)).json()
    try:
        yield
    finally:
        agent.delete(f"/process/{process['pid']}/kill")


def test_a_folder_that_is_closed_is_left_out_of_the_watch_and_reported(agent, folder):
    agent.run(f"cd {folder} && mkdir -p open/inner closed && chmod 000 closed")

    with watched(agent, folder) as changes:
        first = next(changes)
        agent.run(f"touch {folder}/open/inner/new")
        second = next(changes)
    agent.run(f"chmod 700 {folder}/closed")

    assert first == {
        "op": "",
        "name": "closed",
        "path": folder,
        "error": "not watched: permission denied",
    }
    assert (second["op"], second["path"], second["name"]) == (
        "CREATE",
        f"{folder}/open/inner",
        "new",
    )


FAR = {"before": -99_999_999_999_999, "after": 99_999_999_999_999, "last": 2**63 - 1}


def test_a_file_of_any_time_is_listed_and_read(agent):
    """A file system in memory keeps a time that no date can be written with."""
    folder = agent.run("mktemp -d").output.strip()
    for name, seconds in FAR.items():
        agent.run(f"cd {folder} && echo x > {name} && touch -d @{seconds} {name}")

    answers = [
        agent.get(f"/{api}/{folder}{path}", headers=headers)
        for api, path in [
            *(("filesystem", f"/{name}") for name in FAR),
            *(("filesystem", ""), ("filesystem/tree", "?recursive=true")),
        ]
        for headers in ({}, RAW, RAW | {"range": "bytes=0-0"})
    ]

    assert [(each.url, each.text) for each in answers if not each.is_success] == []
    listed = agent.get(f"/filesystem/{folder}").json()["files"]
    assert {each["name"]: each["lastModified"][:4] for each in listed} == {
        "before": "0001",
        "after": "9999",
        "last": "9999",
    }


def test_a_closed_folder_that_is_made_later_does_not_end_the_watch(agent, folder):
    with watched(agent, folder) as changes:
        agent.run(f"cd {folder} && mkdir -m 000 closed && touch after")
        seen = []
        while not seen or seen[-1]["name"] != "after":
            seen.append(next(changes))
    agent.run(f"chmod 700 {folder}/closed")

    assert [each["name"] for each in seen if each["error"]] == ["closed"]


def test_a_watch_can_begin_while_folders_come_and_go(agent, folder):
    with churn(agent, folder):
        statuses = []
        for _ in range(60):
            with agent.stream("GET", f"/watch/filesystem/{folder}/**") as answer:
                statuses.append(answer.status_code)

    assert statuses == [200] * 60


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "asked",
    [
        "/filesystem/{}",
        "/filesystem/tree{}?recursive=true&content=true",
        "/filesystem-find/{}?type=file",
        "/filesystem-content-search/{}?query=b",
    ],
)
def test_what_vanishes_while_it_is_listed_is_left_out(agent, folder, asked):
    agent.run(f"cd {folder} && seq 400 | xargs touch && mkdir stays")
    with churn(agent, folder):
        answers = [agent.get(asked.format(folder)) for _ in range(80)]

    assert [answer.status_code for answer in answers] == [200] * 80
    if asked == "/filesystem/{}":
        names = [{file["name"] for file in answer.json()["files"]} for answer in answers]
        assert all(names >= {str(number) for number in range(1, 401)} for names in names)


def test_names_in_a_folder_that_may_not_be_entered_are_listed(agent, folder):
    agent.run(f"cd {folder} && mkdir d && touch d/file && chmod 444 d")

    listing = agent.get(f"/filesystem/{folder}/d")
    agent.run(f"chmod 700 {folder}/d")

    (file,) = listing.json()["files"]
    assert (file["name"], file["lastModified"]) == ("file", "")


def test_a_tree_has_the_content_of_all_that_can_be_read(agent, folder):
    agent.run(f"cd {folder} && echo a > a && echo b > b && chmod 000 b")

    tree = agent.get(f"/filesystem/tree{folder}?recursive=true&content=true").json()

    assert [(each["name"], each.get("content")) for each in tree["files"]] == [
        ("a", "a\n"),
        ("b", None),
    ]


def test_a_copy_leaves_out_what_vanishes_meanwhile(tmp_path, monkeypatch):
    source, target = tmp_path / "from", tmp_path / "to"
    for name in ("file", "folder", "link", "stays"):
        (source / name).mkdir(parents=True)
    (source / "stays" / "a").touch()
    for name in ("file", "link"):
        (source / name).rmdir()
    (source / "file").touch()
    (source / "link").symlink_to("x")

    def vanishing(work):
        def after_it_has_gone(path, *args, **options):
            if os.path.basename(path) in ("file", "folder", "link"):
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
            return work(path, *args, **options)

        return after_it_has_gone

    for name in ("open", "readlink", "scandir"):
        monkeypatch.setattr(os, name, vanishing(getattr(os, name)))
    copies.copy(str(source), str(target), exclusive=False)
    monkeypatch.undo()

    assert (target / "stays" / "a").is_file()
    assert not (target / "file").exists()


def test_a_copy_takes_all_that_it_can_and_names_what_it_can_not(agent, folder):
    agent.run(f"cd {folder} && mkdir from && cd from && touch a z && mkfifo pipe")

    body = {"source": f"{folder}/from", "destination": f"{folder}/to"}
    answer = agent.post("/filesystem-copy", json=body)

    assert answer.status_code == 422
    assert "pipe" in answer.json()["error"]
    assert agent.run(f"ls {folder}/to").output == "a\nz\n"


def test_a_pattern_is_found_beside_a_closed_folder(agent, folder):
    agent.run("cd /blaxel && mkdir -p closed && echo needle_7 > found && chmod 000 closed")

    found = agent.get("/codegen/grep?query=needle_7").json()
    nothing = agent.get("/codegen/grep?query=need_no_such_thing").json()
    wrong = agent.get("/codegen/grep?query=(")
    agent.run("chmod 700 /blaxel/closed; rm -r /blaxel/closed /blaxel/found")

    assert found == {"lines": ["./found:1:needle_7"]}
    assert nothing == {"lines": []}
    assert wrong.status_code == 422


def test_an_empty_file_says_when_it_was_changed(agent, folder):
    agent.run(f"touch -d 2020-05-17T12:00:00Z {folder}/empty")

    answer = agent.get(f"/filesystem/{folder}/empty", headers=RAW)

    assert answer.headers["last-modified"] == "Sun, 17 May 2020 12:00:00 GMT"


# Of those of /proc/sys the kernel refuses to read megabytes at once.
MADE_UP = ["/proc/version", "/proc/sys/kernel/ostype", "/proc/sys/kernel/osrelease"]


@pytest.mark.parametrize("path", [*MADE_UP, "/sys/kernel/mm/transparent_hugepage/enabled"])
def test_what_the_kernel_makes_up_is_read_as_long_as_it_is(path):
    """A sandbox has no /sys: what is asked here is the machine's."""
    if not Path(path).exists():
        pytest.skip(f"this machine has no {path}")

    answer = files._raw(path, os.stat(path))

    assert answer.body == Path(path).read_bytes()
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "last-modified" in answer.headers


@pytest.mark.parametrize(
    ("made", "asked", "code"),
    [
        ("touch no\\ such\\ file", "GET {}/no%20such%20file/x", "ENOTDIR"),
        ("touch busybox && chmod 000 busybox", "GET {}/busybox", "EACCES"),
        ("mkdir busybox && touch busybox/a", "DELETE {}/busybox", "ENOTEMPTY"),
        ("mkdir ro && touch ro/a && chmod 500 ro", "DELETE {}/ro?recursive=true", "EACCES"),
        ("mkfifo pipe", "GET {}/pipe", "NOT_A_REGULAR_FILE"),
        ("mkfifo pipe", "PUT {}/pipe", "NOT_A_REGULAR_FILE"),
        ("touch file", "PUT {}/file/x", "ENOTDIR"),
        ("touch file", "PUT {}/file/x/y", "ENOTDIR"),
        ("ln -s loop loop", "PUT {}/loop/x", "ELOOP"),
    ],
)
def test_a_refusal_names_the_error_number(agent, folder, made, asked, code):
    agent.run(f"cd {folder} && {made}", env={"SHELL": "bash"})
    method, _, path = asked.partition(" ")

    answer = agent.request(method, f"/filesystem/{path.format(folder)}", json={"content": "x"})
    agent.run(f"chmod -R u+rwX {folder}")

    assert answer.status_code >= 400
    assert answer.json()["code"] == code


def test_a_name_that_is_not_utf8_is_told_by_lone_surrogates_and_taken_back(agent, folder):
    agent.run(
        f"cd {folder} && mkdir $'d\\xe9' && echo hi > $'d\\xe9/f\\xe8'", env={"SHELL": "bash"}
    )
    found = agent.get(f"/filesystem-find/{folder}").json()["matches"]
    named = [
        agent.get(f"{search}/{folder}?{query}").json()["matches"]
        for search, query in {
            "/filesystem-find": "patterns=f%E8",
            "/filesystem-search": "query=f%E8",
            "/filesystem-content-search": "query=hi&filePattern=f%E8",
        }.items()
    ]
    left_out = agent.get(f"/filesystem-find/{folder}?excludeDirs=d%E9").json()["matches"]
    ran = agent.post(
        "/process",
        content=json.dumps(
            {"command": "cat *", "workingDir": f"{folder}/d\udce9", "waitForCompletion": True}
        ),
    )
    tree = json.dumps({"files": {"d\udce9/new\udce8": "new"}})
    written = agent.put(f"/filesystem/tree{folder}", content=tree)

    assert found == [{"path": "d\udce9/f\udce8", "type": "file"}]
    assert [[match["path"] for match in each] for each in named] == [["d\udce9/f\udce8"]] * 3
    assert left_out == []
    assert (written.status_code, agent.run(f"cat {folder}/*/new*").output) == (200, "new")
    assert ran.json()["stdout"] == "hi\n"
