from pathlib import Path

import pytest
from django.conf import settings

from manta.core.joined import JOINED

STATIC = Path(settings.BASE_DIR) / "static"
# One knows its own tag, the other has to be there before the page is drawn.
ALONE = {"js/workspace/early.js", "js/workspace/inside.js"}


@pytest.mark.parametrize("joined", ["css/manta.css", "css/workspace.css", "js/workspace.js"])
def test_all_of_a_folder_is_joined(joined):
    folder = (STATIC / joined).with_suffix("")
    names = {str(path.relative_to(STATIC)) for path in folder.iterdir()}

    assert names - ALONE <= set(JOINED[joined])
    assert len(names) > 7
