"""An image as small as Alpine: busybox, musl, and neither a glibc nor a Python."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.image_command import image
from tests.support.local_blaxel import Server, new_name
from tests.support.terminal import opened
from tests.support.waiting import wait_until

HELLO = '#include <stdio.h>\nint main(void) { puts("hello from musl"); return 0; }\n'


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    busybox = shutil.which("busybox")
    if busybox is None or subprocess.run(["ldd", busybox], capture_output=True).returncode == 0:
        pytest.skip("there is no static busybox on this machine (apt install busybox-static)")
    root = tmp_path_factory.mktemp("musl")
    for folder in ("bin", "etc", "lib", "usr/bin", "dev", "proc", "tmp"):
        (root / folder).mkdir(parents=True)
    shutil.copy(busybox, root / "bin" / "busybox")
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout.split()
    for applet in {*applets} - {"busybox"}:
        (root / "bin" / applet).symlink_to("busybox")
    (root / "etc" / "alpine-release").write_text("3.0.0\n")
    (root / "etc" / "motd").write_text("hello\n")
    _add_musl(root)
    path = root.with_suffix(".tar")
    with tarfile.open(path, "w") as tar:
        tar.add(root, arcname=".")
    return path


def _add_musl(root: Path) -> None:
    """A program that needs musl's loader, where it can be made."""
    compiler = shutil.which("musl-gcc")
    loader = next(Path("/lib").glob("ld-musl-*"), None)
    if compiler and loader:
        command = [compiler, "-x", "c", "-o", str(root / "usr/bin/hello"), "-"]
        subprocess.run(command, input=HELLO.encode(), check=True)
        shutil.copy(loader, root / "lib" / loader.name)


@pytest.fixture(scope="module")
def musl(server: Server, rootfs: Path):
    """A sandbox of that image."""
    name = new_name()
    done = image(server, "import", name, str(rootfs))
    if "bwrap" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    sandbox = server.create(runtime={"image": f"{name}:latest"})
    yield sandbox
    server.delete(sandbox)
    image(server, "rm", name)


def test_commands_are_those_of_the_image(server, musl):
    told = server.run(musl, "cat /etc/alpine-release; readlink /bin/sh; id -u; command -v python3")
    failed = server.run(musl, "exit 3")

    assert told["stdout"] == "3.0.0\nbusybox\n1000\n"
    assert failed["exitCode"] == 3


def test_a_program_finds_musls_loader(server, musl):
    if server.http.get(server.inside(musl, "/filesystem//usr/bin/hello")).status_code == 404:
        pytest.skip("there is no musl-gcc on this machine (apt install musl-tools)")

    assert server.run(musl, "hello")["stdout"] == "hello from musl\n"


def test_files_are_written_listed_searched_and_removed(server, musl):
    files = {"files": {"one.txt": "a needle", "deep/two.txt": "hay"}}
    tree = server.inside(musl, "/filesystem/tree//blaxel/tree")
    server.http.put(tree, json=files).raise_for_status()

    query = {"query": "needle"}
    search = server.inside(musl, "/filesystem-content-search//blaxel/tree")
    found = server.http.get(search, params=query).json()["matches"]
    listed = server.run(musl, "find tree -type f | sort")["stdout"]
    removed = server.http.delete(f"{tree}?recursive=true")

    assert [match["text"] for match in found] == ["a needle"]
    assert listed == "tree/deep/two.txt\ntree/one.txt\n"
    assert removed.status_code == 200
    assert server.run(musl, "ls -d tree")["exitCode"] != 0


def test_a_file_is_written_anywhere_and_a_program_replaced(server, musl):
    change = (
        "echo x > /notes.txt; mkdir /srv; echo x > /srv/x; echo more >> /etc/motd;"
        " rm /bin/tac; ln -s busybox /bin/mine; rm /bin/grep; echo mine > /bin/grep"
    )

    changed = server.run(musl, change)
    seen = server.run(musl, "cat /notes.txt /srv/x /etc/motd /bin/grep; ls /bin/tac")
    query = {"query": "mine", "path": "/bin"}
    searched = server.http.get(server.inside(musl, "/codegen/grep"), params=query)

    assert (changed["exitCode"], changed["stderr"]) == (0, "")
    assert seen["stdout"] == "x\nx\nhello\nmore\nmine\n"
    assert "No such file" in seen["stderr"]
    assert searched.status_code == 200, searched.text


def test_a_terminal_opens_with_the_images_shell(server, musl):
    with opened(server, musl, "cols=91&rows=33") as terminal:
        terminal.type("stty size; echo $((40 + 2)) $0\r")

        assert terminal.see(r"33 91\r\n42 \S*sh")


def test_a_port_is_reached_and_sleep_changes_nothing(server, musl):
    command = "echo served > /tmp/index.html; exec httpd -f -p 3000 -h /tmp"
    server.run(musl, command, name="web", waitForCompletion=False, waitForPorts=[3000])
    wait_until(lambda: server.sleeps(musl))

    answer = server.http.get(server.inside(musl, "/port/3000/index.html"))

    assert (answer.status_code, answer.text) == (200, "served\n")
    server.http.delete(server.inside(musl, "/process/web/kill"))
