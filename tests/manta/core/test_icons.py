"""The line icons, and the names by which templates draw them."""

import re
from pathlib import Path

from django.conf import settings

from manta.core.icons import SHAPES, icon
from sandboxes.models.status import STATES

_DRAWN = re.compile(r'\{% icon "([^"]+)" %\}')


def test_every_icon_that_a_template_draws_has_a_shape():
    files = (Path(settings.BASE_DIR) / "templates").rglob("*.html")
    drawn = {name for file in files for name in _DRAWN.findall(file.read_text())}

    assert len(drawn) > 30
    assert drawn | STATES.keys() <= SHAPES.keys()


def test_an_icon_is_its_shape_in_a_frame():
    drawn = icon("check")

    assert '<svg class="icon icon-check" viewBox="0 0 20 20"' in drawn
    assert f"{SHAPES['check']}</svg>" in drawn


def test_of_an_unknown_name_only_the_frame_is_drawn_and_the_name_escaped():
    drawn = icon('"><b>')

    assert 'class="icon icon-&quot;&gt;&lt;b&gt;"' in drawn
    assert 'focusable="false"></svg>' in drawn
