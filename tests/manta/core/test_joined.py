from pathlib import Path

import pytest
from django.conf import settings

from manta.core.joined import JOINED

WORKSPACE = Path(settings.BASE_DIR) / "frontend/workspace"


@pytest.mark.parametrize("kind", ["css", "js"])
def test_all_of_the_workspace_is_joined(kind):
    names = {f"workspace/{path.relative_to(WORKSPACE)}" for path in WORKSPACE.rglob(f"*.{kind}")}

    # It knows its own tag.
    assert names - {"workspace/inside.js"} <= set(JOINED[f"{kind}/workspace.{kind}"])
    assert len(names) > 7
