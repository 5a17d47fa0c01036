"""Signing in: people, their second factors, agents, and other providers."""

from django.core.exceptions import ImproperlyConfigured

from manta.core import env
from manta.settings.django_apps import INSTALLED_APPS
from manta.settings.runtime import DEBUG, MANTA_LOCAL, TRUSTED_PROXY_COUNT

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# The first makes all new hashes; what the second made is made anew when its person signs in.
PASSWORD_HASHERS = [
    "accounts.password_hashers.Argon2idHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "sandboxes:workspace"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# Otherwise a person could wait in an account with another person's address.
ACCOUNT_EMAIL_VERIFICATION = env.choice(
    "ACCOUNT_EMAIL_VERIFICATION",
    "optional" if MANTA_LOCAL or DEBUG else "mandatory",
    ("none", "optional", "mandatory"),
)
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.allauth_forms.SignInForm",
    "signup": "accounts.allauth_forms.SignUpForm",
    "add_email": "accounts.allauth_forms.ChangeAddressForm",
    "request_login_code": "accounts.allauth_forms.CodeForm",
    "reset_password": "accounts.allauth_forms.ResetForm",
    "reset_password_from_key": "accounts.allauth_forms.ResetKeyForm",
    "change_password": "accounts.allauth_forms.NewPasswordForm",
    "set_password": "accounts.allauth_forms.FirstPasswordForm",
}
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Manta] "
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if MANTA_LOCAL or DEBUG else "https"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Browsers offer passkeys over plain http on localhost alone.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = MANTA_LOCAL or DEBUG
MFA_ADAPTER = "accounts.mfa_adapter.MFAAdapter"
MFA_FORMS = {
    "activate_totp": "accounts.forms.ActivateAppForm",
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.ConfirmForm",
    "add_webauthn": "accounts.forms.AddPasskeyForm",
}
MFA_TOTP_ISSUER = "Manta"
# A phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1

# Besides web pages and this machine: apps that an agent's sign-in may lead back to.
AGENT_SCHEMES = env.items("MANTA_AGENT_SCHEMES", "cursor,vscode,vscode-insiders,windsurf,zed,goose")
# Agents sign in at allauth's authorization server, as accounts.oauth narrows it.
IDP_OIDC_ADAPTER = "accounts.oauth.adapter.StrictAdapter"
IDP_OIDC_DCR_REQUIRES_INITIAL_ACCESS_TOKEN = False
IDP_OIDC_AUTH_METHODS = ["none"]
IDP_OIDC_AUTHORIZATION_CODE_EXPIRES_IN = 60
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 60 * 60
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = 30 * 24 * 60 * 60
# Its own would be three a minute.
IDP_OIDC_RATE_LIMITS = False
# Beside allauth's own. Agents register themselves; a whole office may come from one address.
ACCOUNT_RATE_LIMITS = {"agent_registration": "20/m/ip,200/d/ip"}

# Off only for load tests that come from one address.
if not env.flag("MANTA_RATE_LIMITS", default=True):
    ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # type: ignore[assignment]

SOCIALACCOUNT_ADAPTER = "accounts.adapter.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = {}
# Where their sign-in begins: a form of ours is redirected there.
SIGN_IN_ORIGINS = []
for _provider, _origin, _client_id, _secret in (
    (
        "github",
        "https://github.com",
        env.text("GITHUB_CLIENT_ID"),
        env.secret("GITHUB_CLIENT_SECRET"),
    ),
    (
        "google",
        "https://accounts.google.com",
        env.text("GOOGLE_CLIENT_ID"),
        env.secret("GOOGLE_CLIENT_SECRET"),
    ),
):
    if bool(_client_id) != bool(_secret):
        _name = _provider.upper()
        raise ImproperlyConfigured(
            f"Set both {_name}_CLIENT_ID and {_name}_CLIENT_SECRET, or neither."
        )
    if _client_id:
        # No models, so no migrations: an app of one that is not used has no routes either.
        INSTALLED_APPS.append(f"allauth.socialaccount.providers.{_provider}")
        SOCIALACCOUNT_PROVIDERS[_provider] = {
            "APPS": [{"client_id": _client_id, "secret": _secret}],
            "OAUTH_PKCE_ENABLED": True,
        }
        SIGN_IN_ORIGINS.append(_origin)
