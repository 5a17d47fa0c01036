"""Files that are written over the image: anywhere, kept, and private, whoever runs the server."""

import shutil
from pathlib import Path

import pytest

from tests.support.launcher_host import Agent
from tests.support.local_blaxel import new_name
from tests.support.waiting import wait_until

PLACES = [
    *("/notes.txt", "/srv/x", "/root" + "/.profile", "/home/me/x", "/opt/x", "/mnt/x", "/media/x"),
    *("/etc/x", "/etc/profile.d/x.sh", "/data/deep/x", "/var/lib/x", "/var/x"),
    *("/usr/x", "/usr/bin/x", "/usr/sbin/x", "/usr/local/bin/x", "/usr/local/lib/mine/x"),
    *("/usr/lib/x", "/usr/share/x", "/usr/include/x", "/bin/y", "/sbin/y", "/lib/y", "/lib64/y"),
]


@pytest.fixture
def box(any_server):
    made = any_server.create()
    yield any_server, made
    any_server.delete(made)


def put(server, name, path, content):
    body = {"content": content}
    return server.http.put(server.inside(name, f"/filesystem/{path}"), json=body).status_code


def read(server, name, path):
    answer = server.http.get(server.inside(name, f"/filesystem/{path}"))
    return answer.json().get("content", answer.status_code)


def restart(server, name, value):
    """Start it again by other variables, as an update does."""
    record = server.get(name)
    record["spec"]["runtime"]["envs"] = [{"name": "NEW", "value": value}]
    server.http.put(f"/v0/sandboxes/{name}", json=record).raise_for_status()


def test_a_file_is_written_anywhere_and_kept_and_nobody_elses(box):
    server, name = box
    written = {path: put(server, name, path, f"in {path}") for path in PLACES}
    by_command = server.run(name, "cd /; for f in srv/a etc/a usr/lib/a; do echo $f > $f; done")
    restart(server, name, "1")

    kept = {path: read(server, name, path) for path in PLACES}
    other = server.create()
    elsewhere = {path: read(server, other, path) for path in PLACES}
    server.delete(other)

    assert written == dict.fromkeys(PLACES, 200)
    assert (by_command["exitCode"], by_command["stderr"]) == (0, "")
    assert kept == {path: f"in {path}" for path in PLACES}
    assert elsewhere == dict.fromkeys(PLACES, 404)
    # The links in the root lead there; the machine itself has none of it.
    assert [path for path in PLACES if Path(path).exists() and "/x" in path] == []


def test_what_the_image_has_is_replaced_and_deleted_in_this_sandbox_alone(box):
    server, name = box
    change = (
        "echo mine > /usr/bin/new && mv -f /usr/bin/new /usr/bin/uniq && rm /usr/bin/tac"
        " && rm -r /usr/share/common-licenses && mkdir /usr/share/common-licenses"
        " && echo 127.0.0.2 two >> /etc/hosts && rm /etc/profile"
    )
    look = (
        "cat /usr/bin/uniq; ls /usr/share/common-licenses; tail -n 1 /etc/hosts;"
        " ls /etc/profile /usr/bin/tac 2>&1 | grep -c 'No such file'"
    )
    if not Path("/usr/share/common-licenses").is_dir():
        pytest.skip("a folder that Debian has is deleted here")

    changed = server.run(name, change)
    restart(server, name, "1")
    after = server.run(name, look)

    assert (changed["exitCode"], changed["stderr"]) == (0, "")
    assert after["stdout"] == "mine\n127.0.0.2 two\n2\n"
    other = server.create()
    assert server.run(other, "uniq < /dev/null; tac /dev/null; ls /etc/profile")["exitCode"] == 0
    server.delete(other)
    assert shutil.which("tac") is not None


KEPT = "/srv/marked /usr/local/bin/marked /etc/marked /var/lib/marked /blaxel/marked"
SHOW = f"cat {KEPT}; ls /usr/bin/tac 2>&1 | grep -c 'No such file'"
SHOWN = "x\n" * 5 + "1\n"


@pytest.fixture
def written(box):
    server, name = box
    server.run(name, f"for f in {KEPT}; do echo x > $f; done; rm /usr/bin/tac")
    return server, name


def test_a_snapshot_brings_all_of_it_back(written):
    server, name = written
    url = f"/v0/sandboxes/{name}/snapshots"
    snapshot = server.http.post(url, json={"name": "all"}).json()["id"]
    server.run(name, f"rm {KEPT}; echo x > /usr/bin/tac; touch /srv/later")

    server.http.post(f"{url}/all/restore").raise_for_status()

    assert server.run(name, SHOW)["stdout"] == SHOWN
    assert server.run(name, "ls -A /srv")["stdout"] == "marked\n"
    server.http.delete(f"/v0/snapshots/{snapshot}")


def test_a_fork_has_all_of_it(written):
    server, name = written
    forked = new_name()

    fork = server.http.post(f"/v0/sandboxes/{name}/fork", json={"targetName": forked})
    server.run(name, "rm /srv/marked")

    assert fork.status_code == 200, fork.text
    assert server.run(forked, SHOW)["stdout"] == SHOWN
    server.delete(forked)


def test_an_archive_keeps_all_of_it(written):
    server, name = written
    for verb, status in (("archive", "ARCHIVED"), ("unarchive", "DEPLOYED")):
        server.http.post(f"/v0/sandboxes/{name}/{verb}").raise_for_status()
        wait_until(lambda status=status: server.get(name)["status"] == status, 60)

    assert server.run(name, SHOW)["stdout"] == SHOWN


def test_a_deletion_leaves_nothing_of_it_on_the_machine(written):
    server, name = written
    other = server.create(name=new_name())
    marks = [path for path in server.state_dir.rglob("marked") if path.is_file()]

    server.delete(name)
    remade = server.create(name=name)

    assert len(marks) == 5
    assert [path for path in server.state_dir.rglob("marked") if path.is_file()] == []
    assert server.run(remade, f"ls {KEPT}")["stdout"] == ""
    server.delete(other)


@pytest.mark.exhaustive
def test_what_an_earlier_version_kept_is_found(own_server):
    """It had a home and /var beside each other, and snapshots of the home alone."""
    name = own_server.create()
    own_server.run(name, "echo home > /blaxel/file; echo var > /var/lib/file")
    url = f"/v0/sandboxes/{name}/snapshots"
    own_server.http.post(url, json={"name": "old"}).raise_for_status()
    snapshot = own_server.http.get(url).json()[0]["id"]
    own_server.kill()
    state = own_server.state_dir / "sandboxes"
    (claimed,) = state.glob("*/claimed")
    disk = claimed.with_name("disk")
    for part in ("home", "var"):
        (disk / "files" / part).rename(disk.with_name(part))
    shutil.rmtree(disk)
    (state / "snapshots").mkdir()
    (state / "kept" / snapshot / "home").rename(state / "snapshots" / snapshot)
    shutil.rmtree(state / "kept")

    own_server.start()
    running = own_server.run(name, "cat /blaxel/file /var/lib/file")
    restart(own_server, name, "1")
    restarted = own_server.run(name, "cat /blaxel/file /var/lib/file; echo x > /srv/x")
    own_server.run(name, "rm /blaxel/file")
    own_server.http.post(f"{url}/old/restore").raise_for_status()
    restored = own_server.run(name, "cat /blaxel/file; echo x > /srv/x")

    assert running["stdout"] == restarted["stdout"] == "home\nvar\n"
    assert (restored["stdout"], restored["exitCode"]) == ("home\n", 0)


@pytest.mark.exhaustive
def test_a_sandbox_whose_user_closed_its_folders_starts_again(host):
    instance = host.call("start", "closed")
    path = Path(host.call("agent_socket", instance))
    with Agent(path) as agent:
        agent.run("chmod 000 /srv /usr /etc /opt /")
    host.call("restart", instance)
    with Agent(path) as agent:
        assert agent.run("echo x > /notes.txt; cat /notes.txt").output == "x\n"
    host.call("stop", instance)
