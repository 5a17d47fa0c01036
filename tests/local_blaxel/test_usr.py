"""Changes of a sandbox to this machine's /usr, where root's files there seem to be its own."""

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from local_blaxel.launcher import layers
from local_blaxel.launcher.bubblewrap import ENTER, OVER_USR, Plan
from local_blaxel.launcher.folders import remove_tree
from local_blaxel.launcher.tools import hand_over, ordinary_uid
from tests.support.launcher_host import Agent

PROGRAM = Path("/usr/bin/env")


@pytest.fixture
def agent(host):
    if "only replaced" in host.call("describe"):
        pytest.skip("root's files in /usr stay root's here")
    instance = host.call("start", "usr")
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        yield agent
    host.call("stop", instance)


def test_a_program_is_changed_in_place_in_this_sandbox_alone(agent):
    before = PROGRAM.stat()

    ran = agent.run(f"printf mine >> {PROGRAM} && tail -c 4 {PROGRAM} && {PROGRAM} true && echo ok")

    assert ran == (0, "mineok\n")
    assert PROGRAM.read_bytes()[-4:] != b"mine"
    assert PROGRAM.stat().st_mtime_ns == before.st_mtime_ns


def test_a_file_is_written_at_any_depth(host):
    deep = next(
        path
        for path, folders, _ in os.walk("/usr")
        if path.count("/") > 6 and os.stat(path).st_uid == 0
    )

    instance = host.call("start", "deep")
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        ran = agent.run(f"echo x > '{deep}/by a test' && cat '{deep}/by a test'")
    host.call("stop", instance)

    assert ran == (0, "x\n")
    assert not Path(deep, "by a test").exists()


def test_what_not_everyone_may_read_is_found(tmp_path):
    tmp_path.chmod(0o755)
    modes = {"open": 0o644, "closed": 0o600, "for a group": 0o640, "set": 0o4755, "run only": 0o711}
    for name, mode in modes.items():
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    for name, mode in {"folder": 0o755, "closed folder": 0o700, "no list": 0o711}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "\udce9").touch(0o600)
        (tmp_path / name).chmod(mode)
    (tmp_path / "link").symlink_to("nowhere")

    found = layers.closed(str(tmp_path))

    hidden = ["closed", "closed folder", "folder/\udce9", "for a group", "no list", "run only"]
    assert found == [f"{tmp_path}/{name}" for name in hidden]


def test_a_program_of_another_group_is_replaced(agent):
    others = "find /usr/bin /usr/sbin /usr/lib ! -group blaxel -type f -print -quit"
    if not (path := agent.run(others).output.strip()):
        pytest.skip("all of this machine's programs are of root's group")

    ran = agent.run(f"cp {path} {path}.new && mv -f {path}.new {path} && rm {path} && echo ok")

    assert ran == (0, "ok\n")
    assert Path(path).exists()


@pytest.mark.exhaustive
def test_a_folder_of_the_image_is_moved_whole(host):
    def size(path):
        return sum(len(folders) + len(files) for _, folders, files in os.walk(path))

    deep = {str(Path(*Path(path).parts[:4])) for path, _, _ in os.walk("/usr") if _is_deep(path)}
    moved = min(deep - {"/usr/lib", "/usr/local"}, key=size)
    instance = host.call("start", "moving")
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        before = agent.run(f"cd {moved} && find . | sort | sha256sum")
        ran = agent.run(f"mv {moved} /usr/moved && ls -d {moved}")
        after = agent.run("cd /usr/moved && find . | sort | sha256sum")
    host.call("stop", instance)

    assert ran == (2, f"ls: cannot access '{moved}': No such file or directory\n")
    assert before == after


def _is_deep(path):
    return path.count("/") > 5 and os.stat(path).st_uid == 0 and os.listdir(path)


@pytest.mark.exhaustive
def test_a_folder_of_the_image_is_renamed_once_it_is_the_sandboxes_own(host):
    rename = "python3 -c 'import os, sys; os.rename(*sys.argv[1:])'"
    # The number of its links does not tell in an overlay.
    leaf = "find /usr/share -mindepth 2 -maxdepth 2 -type d -readable"
    leaf += " ! -exec sh -c 'ls -d \"$0\"/*/ > /dev/null 2>&1' {} ';' -print -quit"
    instance = host.call("start", "renaming")
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        d = agent.run(leaf).output.strip()

        refused = agent.run(f"{rename} {d} {d}.later")
        own = agent.run(f"cp -a {d} {d}.new && rm -r {d} && mv {d}.new {d}")
        renamed = agent.run(f"{rename} {d} {d}.later && ls -d {d}.later")
    host.call("stop", instance)

    assert "Invalid cross-device link" in refused.output
    assert own == (0, "")
    assert renamed == (0, f"{d}.later\n")


@pytest.fixture
def folder():
    """Not below /tmp, over which enter.py lays something."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    remove_tree(folder)


def test_what_is_hidden_is_not_there_and_everything_else_is_the_users_own(folder):
    if (uid := ordinary_uid()) is None:
        pytest.skip("only root can show a folder as another user's")
    image, state = folder / "image", folder / "state"
    own, work, below = (state / name for name in ("own", "work", "below"))
    for each in (own, work, below, image / "deep" / "closed"):
        each.mkdir(parents=True)
    for name in ("secret", "deep/closed/secret"):
        (image / name).touch(0o600)
    (image / "file").write_text("of all\n")
    for path in layers.closed(str(image)):
        layers.hide(below / Path(path).relative_to(image))
    hand_over(state)
    options = ["--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "--bind", OVER_USR, "/mnt"]
    script = "cd /mnt; find . | sort; cat file; echo x > file; cat file"
    overlays = [[OVER_USR, *map(str, (own, work, below, image))]]
    plan = Plan("/usr/bin/bwrap", uid, options, ["sh", "-c", script], [str(state)])
    plan = replace(plan, overlays=overlays, owned=str(image))

    command = [sys.executable, "-I", "-S", str(ENTER)]
    ran = subprocess.run(command, input=plan.encode(), env={}, capture_output=True)

    if ran.stderr.startswith(b"system call"):
        pytest.skip(f"this kernel or file system can't: {ran.stderr!r}")
    assert ran.stdout == b".\n./deep\n./deep/closed\n./file\nof all\nx\n"
    assert (image / "file").read_text() == "of all\n"
