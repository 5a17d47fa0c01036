"""The product's settings, as a Manta that tests start runs with them: passwords are hashed quickly.

PBKDF2 takes a third of a second of a core for each sign-up and sign-in, of which tests do hundreds.
"""

from manta.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
