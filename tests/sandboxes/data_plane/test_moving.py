"""The script that moves a folder, at a folder that can't be moved."""

import os
import shutil
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


# A system that renames no folder of somebody else's, as where it came with the image.
NO_RENAME = {
    "mv": '[ "$1" = --no-copy ] && exit 1; PATH=$OTHERS exec mv "$@"',
    "perl": "exit 1",
}


def moved(source, target, programs=None, **options):
    """Run the script; programs stand before the system's own of that name."""
    variables = {"SOURCE": source, "PARENT": source.parent, "TARGET": target}
    values = {name: str(path) for name, path in variables.items()}
    values |= {"DRAFT": f"{target}~", "OVERWRITE": "", "FOLDERS": "", "OTHERS": os.defpath}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        for name, text in (programs or {}).items():
            (Path(folder) / name).write_text(f"#!/bin/sh\n{text}\n")
            (Path(folder) / name).chmod(0o755)
        values["PATH"] = f"{folder}:{os.defpath}"
        return subprocess.run(["sh", "-c", MOVE], env=values, check=False, **options).returncode


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def mixed(home):
    """A folder with a folder in which its owner may delete nothing."""
    source = home / "source"
    (source / "own").mkdir(parents=True)
    (source / "others").mkdir()
    for name in ("own/a", "others/b"):
        (source / name).write_text(name)
    for path in (home, source, source / "own"):
        os.chown(path, USER, USER)
    return source


OF_USER = {"user": USER, "group": USER, "extra_groups": []}


@pytest.mark.process
def test_a_folder_that_can_only_be_half_deleted_is_not_copied(mixed):
    target = mixed.parent / "target"

    status = moved(mixed, target, NO_RENAME, **OF_USER)

    assert status == 13
    assert not target.exists()
    assert files_in(mixed) == {"own/a", "others/b"}


@pytest.mark.process
@pytest.mark.skipif(shutil.which("perl", path=os.defpath) is None, reason="mv alone may copy")
def test_a_folder_with_another_users_is_renamed(mixed):
    target = mixed.parent / "target"

    assert moved(mixed, target, **OF_USER) == 0
    assert files_in(target) == {"own/a", "others/b"}
    assert not mixed.exists()


# What a program makes at the target, when it is free no more: before the script's first move, or
# before its last one.
MADE = {"a file": ': > "$TARGET"', "a folder": 'mkdir "$TARGET" && : > "$TARGET/theirs"'}
MOMENTS = {"first": "*", "last": '*"$DRAFT $TARGET"'}


@pytest.mark.process
@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_program_makes_at_the_target_meanwhile_stays(tmp_path, made, moment):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "a").write_text("a")
    make = f'case "$*" in {MOMENTS[moment]}) [ -e "$TARGET" ] || {{ {MADE[made]}; }} ;; esac'

    status = moved(source, target, NO_RENAME | {"mv": f"{make}\n{NO_RENAME['mv']}"})

    assert status == 1
    assert files_in(source) == {"sub/a"}
    assert target.is_file() if made == "a file" else files_in(target) == {"theirs"}
    assert sorted(os.listdir(tmp_path)) == ["source", "target"]


@pytest.mark.process
@pytest.mark.parametrize("help", ["[-finT] SOURCE DEST", "[-fin] SOURCE DEST"])
def test_each_busybox_moves_a_folder(tmp_path, help):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "a").write_text("a")
    told = f'[ "$1" = --help ] && {{ echo "Usage: mv {help}"; exit; }}'
    knows = "" if "T" in help.split("]")[0] else '[ "$1" = -fT ] && exit 1'

    status = moved(source, target, NO_RENAME | {"mv": f"{told}\n{knows}\n{NO_RENAME['mv']}"})

    assert status == 0
    assert files_in(tmp_path) == {"target/a"}


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
