"""A running Manta's settings, with GitHub and Google where a test's own server is."""

import os

from manta.settings import CONTENT_SECURITY_POLICY, SOCIALACCOUNT_PROVIDERS
from tests.support.running_settings import *  # noqa: F403

PROVIDER = os.environ["PROVIDER_OF_THE_TEST"]

SOCIALACCOUNT_PROVIDERS["github"]["GITHUB_URL"] = PROVIDER
SOCIALACCOUNT_PROVIDERS["google"] |= {
    "AUTHORIZE_URL": f"{PROVIDER}/login/oauth/authorize",
    "ACCESS_TOKEN_URL": f"{PROVIDER}/login/oauth/access_token",
}
CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(PROVIDER)
