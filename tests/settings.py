"""The product's settings, with the variables that the tests run with."""

import atexit
import os
import shutil
import tempfile

STATE_DIR = tempfile.mkdtemp(prefix="manta-tests-")
atexit.register(shutil.rmtree, STATE_DIR, ignore_errors=True)

# Looked for in everything that the tests see: it must never leave the server.
CANARY_KEY = "key-of-the-tests"

os.environ.update(
    MANTA_STATE_DIR=STATE_DIR,
    SECRET_KEY="for-tests-only",
    MANTA_LOCAL="1",
    BLAXEL_WORKSPACE_ID="manta",
    BLAXEL_API_KEY=CANARY_KEY,
    # Nobody listens there: a test that needs a provider asks for the fixture.
    BLAXEL_API_URL="http://127.0.0.1:9/v0",
    # The SDK reads these when it is imported, by whichever test is the first.
    BL_WORKSPACE="manta",
    BL_API_KEY=CANARY_KEY,
    BL_REGION="us-pdx-1",
    BL_SANDBOX_READ_RETRIES="0",
    DO_NOT_TRACK="1",
    GITHUB_CLIENT_ID="id-at-github",
    GITHUB_CLIENT_SECRET="secret-at-github",
    GOOGLE_CLIENT_ID="id-at-google",
    GOOGLE_CLIENT_SECRET="secret-at-google",
    NO_PROXY="127.0.0.1,localhost",
)
for name in ("REDIS_URL", "SANDBOX_IMAGE", "SANDBOX_TTL", "DEBUG"):
    os.environ.pop(name, None)

from manta.settings import *  # noqa: E402, F403

# Without the manifest, which only collectstatic makes.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT.mkdir()  # noqa: F405
# Tests without a database have a cache too; "shared" is the one of processes that run beside them.
CACHES = {
    **CACHES,  # noqa: F405
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "shared": CACHES["default"],  # noqa: F405
}
# A real one takes a part of a second for each user that a test makes.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MIDDLEWARE.insert(0, "tests.support.request_context.RequestContextOfTheTestClient")  # noqa: F405
