"""Settings. Production is the default; what differs between machines is a variable.

The only package of the product that reads the environment; .env.example lists every variable.
"""

from manta.settings.accounts import *  # noqa: F403
from manta.settings.api import *  # noqa: F403
from manta.settings.database import *  # noqa: F403
from manta.settings.django_apps import *  # noqa: F403
from manta.settings.logs import *  # noqa: F403
from manta.settings.mail import *  # noqa: F403
from manta.settings.runtime import *  # noqa: F403
from manta.settings.sandboxes import *  # noqa: F403
from manta.settings.web import *  # noqa: F403
