"""The product's settings, as a Manta that tests start runs with them: passwords are hashed quickly.

A real hash takes a good part of a second on a busy core at each sign-up and sign-in, of which tests
do hundreds.
"""

from manta.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
