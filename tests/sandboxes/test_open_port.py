"""Opening a port leads to its private preview, or says why not."""

import httpx
import pytest

from sandboxes import errors, services
from sandboxes.models import Sandbox


def test_open_leads_to_the_starter_by_a_link_with_a_token(made):
    link = services.open_port(sandbox=made, port=3000, actor=made.owner)

    assert "bl_preview_token=" in link
    assert "It&rsquo;s running." in httpx.get(link).text
    assert httpx.get(link.partition("?")[0]).status_code == 401


def test_open_of_a_port_on_which_nothing_listens_says_what_to_do(made, provider):
    provider.server.http.delete(provider.server.inside(made.name, "/process/starter"))
    Sandbox.objects.update(starter_written_at=None)
    made.refresh_from_db()

    with pytest.raises(errors.PortClosed, match=r"Nothing listens on port 3000.*0\.0\.0\.0"):
        services.open_port(sandbox=made, port=3000, actor=made.owner)
