"""The script that moves a folder, at a folder that can't be moved."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from sandboxes.data_plane import trusted

MOVE, TRASH = (
    trusted.read_script("moving.sh") + trusted.read_script(name) for name in ("move.sh", "trash.sh")
)
USER = 65534


@pytest.fixture
def home():
    """A folder that another user reaches, too."""
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's folders")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as home:
        yield Path(home)


@pytest.mark.process
def test_a_folder_that_can_only_be_half_deleted_is_not_moved(home):
    source, target = home / "source", home / "target"
    (source / "own").mkdir(parents=True)
    (source / "others").mkdir()
    for name in ("own/a", "others/b"):
        (source / name).write_text(name)
    for path in (home, source, source / "own"):
        os.chown(path, USER, USER)
    variables = {"SOURCE": source, "PARENT": home, "TARGET": target, "DRAFT": f"{target}~"}
    values = {name: str(path) for name, path in variables.items()}

    ran = subprocess.run(
        ["sh", "-c", MOVE],
        env={"PATH": os.defpath, "OVERWRITE": "", "FOLDERS": "", **values},
        user=USER,
        group=USER,
        extra_groups=[],
        check=False,
    )

    assert ran.returncode == 13
    assert not target.exists()
    found = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    assert found == {"own/a", "others/b"}


@pytest.mark.process
@pytest.mark.parametrize("script", [MOVE, TRASH])
def test_what_somebody_else_moved_first_is_what_is_missing(tmp_path, script):
    source, programs = tmp_path / "source", tmp_path / "programs"
    source.write_text("x")
    programs.mkdir()
    # The other one is faster between the script's look and its rename.
    (programs / "mv").write_text('#!/bin/sh\nrm -f -- "$SOURCE"\nPATH=$OTHERS exec mv "$@"\n')
    (programs / "mv").chmod(0o755)
    paths = {"SOURCE": source, "PARENT": tmp_path, "TARGET": tmp_path / "target"}
    paths |= {"TRASH": tmp_path / "trash", "BESIDE": tmp_path / "beside"}
    values = {name: str(path) for name, path in paths.items()}
    others = {"PATH": f"{programs}:{os.defpath}", "OTHERS": os.defpath}
    options = {"OVERWRITE": "", "FOLDERS": "", "ID": "1", "DRAFT": f"{tmp_path}/draft"}

    ran = subprocess.run(["sh", "-c", script], env=values | others | options, check=False)

    assert ran.returncode == 10
