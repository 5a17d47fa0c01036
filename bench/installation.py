"""A Manta to measure, as people run it, and a person in it whose sandbox is ready."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.manta_process import Manta, environment
from tests.support.supervisor import new_state_dir
from tests.support.visitor import Visitor

# Not those of tests, which hash passwords quickly.
SETTINGS = "manta.settings"
_MINT = """
from datetime import timedelta
from accounts import tokens
from accounts.models import User
user = User.objects.get(email="{email}")
print(tokens.mint(
    user=user, name="bench", scopes={scopes}, lifetime=timedelta(days=7), key=tokens.new_key()
)[1])
"""


@contextmanager
def running() -> Iterator[tuple[Manta, Visitor]]:
    with (
        new_state_dir() as state_dir,
        Manta(state_dir, DJANGO_SETTINGS_MODULE=SETTINGS) as manta,
        Visitor(manta.url) as visitor,
    ):
        visitor.sign_up()
        visitor.until_ready()
        yield manta, visitor


def token(manta: Manta, email: str, *scopes: str) -> str:
    """Return a personal token, as the page makes one after the password was given."""
    port = manta.blaxel.http.base_url.port or 0
    code = _MINT.format(email=email, scopes=list(scopes))
    command = [sys.executable, "manage.py", "shell", "-c", code]
    environ = environment(manta.state_dir, manta.port, port)
    made = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return made.stdout.split()[-1]
