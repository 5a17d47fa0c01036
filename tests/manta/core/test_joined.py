from pathlib import Path

import pytest
from django.conf import settings

from manta.core.joined import JOINED

STATIC = Path(settings.BASE_DIR) / "static"
# One knows its own tag, the other has to be there before the page is drawn.
ALONE = {"js/workspace/early.js", "js/workspace/inside.js"}


@pytest.mark.parametrize("kind", ["css", "js"])
def test_all_of_the_workspace_is_joined(kind):
    names = {str(path.relative_to(STATIC)) for path in STATIC.glob(f"{kind}/workspace/*")}

    assert names - ALONE <= set(JOINED[f"{kind}/workspace.{kind}"])
    assert len(names) > 7
