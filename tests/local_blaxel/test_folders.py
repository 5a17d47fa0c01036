"""Copies of sandboxes' folders: snapshots, forks, restores."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.launcher_host import (
    AS_ORDINARY_USER,
    ORDINARY_UID,
    USERS,
    as_user,
    environment,
    ordinary_python,
)

ROOT = Path(__file__).resolve().parents[2]
COPIES = """
import pathlib, sys
from local_blaxel.launcher.folders import copy_tree
copy_tree(*map(pathlib.Path, sys.argv[1:]))
"""


@pytest.mark.parametrize("user", USERS)
def test_what_nobody_may_read_is_copied_too(tmp_path_factory, user):
    folder = tmp_path_factory.mktemp("copies")
    source, target = folder / "source", folder / "target"
    (source / "closed").mkdir(parents=True)
    for name in ("secret", "closed/inner"):
        (source / name).write_text("kept")
    (source / "secret").chmod(0)
    (source / "closed").chmod(0)
    python, environ = [sys.executable], {**os.environ}
    if user == AS_ORDINARY_USER:
        if os.geteuid():
            pytest.skip("the tests run as an ordinary user already")
        python, environ = [*as_user(ORDINARY_UID), ordinary_python()], environment()
        subprocess.run(["chown", "-R", f"{ORDINARY_UID}:{ORDINARY_UID}", folder], check=True)
        for parent in folder.parents[:3]:
            parent.chmod(0o755)

    subprocess.run([*python, "-c", COPIES, source, target], cwd=ROOT, env=environ, check=True)

    assert [(target / name).stat().st_mode & 0o777 for name in ("secret", "closed")] == [0, 0]
    assert (target / "closed/inner").read_text() == "kept"
