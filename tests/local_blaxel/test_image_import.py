"""`python -m local_blaxel image`: root filesystems of people's own."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.image_command import image
from tests.support.local_blaxel import Server, new_name

PROGRAMS = ("/bin/bash", "/bin/cat", "/bin/ls", "/bin/id", "/bin/touch")


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small root filesystem: bash, a few programs and their libraries, and what is forbidden."""
    path = tmp_path_factory.mktemp("rootfs") / "rootfs.tar"
    said = subprocess.run(["ldd", *PROGRAMS], capture_output=True, text=True).stdout
    files = {*PROGRAMS, *(word for word in said.split() if word.startswith("/lib"))}
    with tarfile.open(path, "w", dereference=True) as tar:
        for file in sorted(files):
            tar.add(file.rstrip(":"), arcname=f".{file.rstrip(':')}")
        _add(tar, "./bin/sh", type=tarfile.SYMTYPE, linkname="bash")
        _add(tar, "./etc/mine", text="my own image")
        _add(tar, "./bin/grabber", text="#!/bin/sh\n", mode=0o6755)
        _add(tar, "./dev/sda", type=tarfile.BLKTYPE, devmajor=8)
        _add(tar, "./etc/passwd", type=tarfile.SYMTYPE, linkname="/etc/shadow")
    return path


def _add(tar: tarfile.TarFile, name: str, text: str = "", mode: int = 0o644, **fields) -> None:
    member = tarfile.TarInfo(name)
    member.mode, member.size = mode, len(text)
    for field, value in fields.items():
        setattr(member, field, value)
    tar.addfile(member, io.BytesIO(text.encode()))


@pytest.fixture
def imported(server: Server, rootfs: Path):
    """An image's name, imported while the server runs."""
    name = new_name()
    done = image(server, "import", name, str(rootfs))
    if "bwrap" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    yield name
    image(server, "rm", name)


@pytest.mark.exhaustive
def test_a_sandbox_of_an_imported_image_has_its_root(server: Server, imported: str):
    name = server.create(runtime={"image": f"{imported}:latest"})

    told = server.run(name, "cat /etc/mine; id -u; ls /usr/bin/python3")
    written = server.run(name, "touch /bin/x /etc/x /x /blaxel/x /tmp/x /var/x; echo >> /etc/mine")
    other = server.create(runtime={"image": f"{imported}:latest"})
    beside = server.run(other, "cat /etc/mine; ls /bin/x /etc/x /x /var/x")
    server.delete(name)
    server.delete(other)

    assert told["stdout"] == "my own image1000\n"
    assert "No such file" in told["stderr"]
    assert (written["exitCode"], written["stderr"]) == (0, "")
    assert beside["stdout"] == "my own image"
    assert beside["stderr"].count("No such file") == 4


def test_nothing_dangerous_is_left_of_an_archive(server: Server, imported: str):
    folder = server.state_dir / "images" / imported
    modes = [path.lstat().st_mode & 0o7000 for path in folder.rglob("*")]

    assert not any(modes)
    assert not (folder / "root" / "dev" / "sda").exists()
    assert not (folder / "root" / "etc" / "passwd").is_symlink()


@pytest.mark.exhaustive
def test_an_imported_image_is_listed_offered_and_removed(server: Server, rootfs: Path):
    name = new_name()
    image(server, "import", name, str(rootfs))
    before = image(server, "list").stdout
    offered = [each["image"] for each in server.http.get("/v0/sandbox/hub").json()]

    removed = image(server, "rm", name)

    assert f"{name}:latest\n" in before
    assert f"{name}:latest" in offered
    assert removed.returncode == 0
    assert image(server, "list").stdout == ""


def test_an_image_in_use_stays(server: Server, imported: str):
    name = server.create(runtime={"image": imported})

    refused = image(server, "rm", imported)
    server.delete(name)

    assert refused.returncode == 1
    assert f"is used by sandbox {name}" in refused.stderr


@pytest.mark.exhaustive
@pytest.mark.parametrize("tag", ["", "/tags/latest"])
def test_an_imported_image_is_deleted_through_the_api(server: Server, imported: str, tag: str):
    path = f"/v0/images/sandbox/{imported}"

    unknown = server.http.delete(f"{path}/tags/v9")
    deleted = server.http.delete(path + tag)

    assert unknown.status_code == 404
    assert deleted.status_code == 200
    assert deleted.json()["metadata"]["name"] == imported
    assert server.http.get(path).status_code == 404
    assert list((server.state_dir / "images").iterdir()) == []
    body = {"spec": {"runtime": {"image": imported}}}
    assert server.http.post("/v0/sandboxes", json=body).json()["code"] == "IMAGE_NOT_FOUND"


def test_an_image_in_use_is_a_conflict(server: Server, imported: str):
    name = server.create(runtime={"image": f"{imported}:latest"})

    refused = server.http.delete(f"/v0/images/sandbox/{imported}")
    still_there = server.run(name, "cat /etc/mine")
    server.delete(name)

    assert refused.status_code == 409
    assert f"is used by sandbox {name}" in refused.json()["message"]
    assert still_there["stdout"] == "my own image"
    assert server.http.delete(f"/v0/images/sandbox/{imported}").status_code == 200


def test_a_zstd_archive_is_imported(server: Server, rootfs: Path):
    if shutil.which("zstd") is None:
        pytest.skip("there is no zstd on this machine")
    subprocess.run(["zstd", "-q", "-f", str(rootfs)], check=True)
    name = new_name()

    done = image(server, "import", name, f"{rootfs}.zst")
    image(server, "rm", name)

    assert (done.returncode, done.stdout) == (0, f"{name}:latest can be used now\n")


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["", "Upper", "../up", "a/b", "-a", "x" * 50])
def test_a_bad_name_is_refused(server: Server, rootfs: Path, name: str):
    refused = image(server, "import", name, str(rootfs))

    assert refused.returncode == 1
    assert "can't be an image's name" in refused.stderr


@pytest.mark.exhaustive
def test_what_is_no_root_filesystem_is_refused(server: Server, tmp_path: Path):
    garbage, empty, escaping = (tmp_path / name for name in ("garbage", "empty", "escaping"))
    garbage.write_bytes(b"x" * 5000)
    tarfile.open(empty, "w").close()
    with tarfile.open(escaping, "w") as tar:
        _add(tar, "../../escaped", text="outside?")
    paths = (garbage, empty, tmp_path, escaping)

    told = [image(server, "import", "x", str(path)).stderr for path in paths]

    assert "can't be imported" in told[0]
    assert "it has no /bin/sh" in told[1]
    assert "can't be read" in told[2]
    assert "Member name contains" in told[3]
    assert image(server, "list").stdout == ""
