"""Django itself, as WSGI; manta.asgi mounts it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manta.settings")
application = get_wsgi_application()
