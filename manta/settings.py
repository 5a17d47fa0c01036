"""Settings. Production is the default; what differs between machines is a variable.

The only module of the product that reads the environment; .env.example lists every variable.
"""

from datetime import timedelta
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from manta.core import env

BASE_DIR = Path(__file__).resolve().parent.parent
env.load_dotenv(BASE_DIR / ".env")

# ---- How it runs

DEBUG = env.flag("DEBUG")
# Production with local means: plain-http cookies, a provider on loopback. `make run` sets it.
MANTA_LOCAL = env.flag("MANTA_LOCAL")
MANTA_STATE_DIR = Path(env.text("MANTA_STATE_DIR") or BASE_DIR / ".manta").resolve()
SECRET_KEY = env.secret("SECRET_KEY", "insecure-development-key" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. `make run` makes one by itself.")

# What seals secrets in the database (accounts.vault): the first key, and all of them open.
VAULT_KEYS = [key for key in env.secret("MANTA_VAULT_KEY").split(",") if key] + [SECRET_KEY]

ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
# Where people reach it: e-mails that the worker sends link there.
MANTA_URL = env.text("MANTA_URL").rstrip("/") or (
    f"http://localhost:{env.number('PORT', 8000)}"
    if MANTA_LOCAL or DEBUG
    else f"https://{ALLOWED_HOSTS[0].lstrip('.')}"
)
# What agents connect to, and what their tokens are for: exactly this address.
MCP_URL = f"{MANTA_URL}/mcp"
# Reverse proxies in front of Manta: their X-Forwarded-For and X-Forwarded-Proto are believed.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0)
WEB_CONCURRENCY = env.number("WEB_CONCURRENCY", 1)
WEB_THREADS = env.number("WEB_THREADS", 8, minimum=2)
WORKER_CONCURRENCY = env.number("WORKER_CONCURRENCY", 1)
WORKER_THREADS = env.number("WORKER_THREADS", 8, minimum=1)
LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
# Lines are for people; what collects the logs of an installation reads JSON.
LOG_FORMAT = env.choice("LOG_FORMAT", "line" if MANTA_LOCAL or DEBUG else "json", ("line", "json"))
# Failures are sent there; in the admin they are in any case.
SENTRY_DSN = env.secret("SENTRY_DSN")
# Who sends it as a bearer token may read /metrics from elsewhere than this machine.
METRICS_TOKEN = env.secret("METRICS_TOKEN")

# ---- Blaxel, and what a new sandbox is made of

BLAXEL_WORKSPACE_ID = env.text("BLAXEL_WORKSPACE_ID")
BLAXEL_API_KEY = env.secret("BLAXEL_API_KEY")
BLAXEL_API_URL = env.text("BLAXEL_API_URL", "https://api.blaxel.ai/v0").rstrip("/")
# Where previews live: the hosts that Manta's pages may send a person, or a frame, to.
PREVIEW_ORIGINS = env.items("MANTA_PREVIEW_ORIGINS", "https://*.preview.bl.run")
# A frame needs the preview host to hold its access in a Partitioned cookie; local_blaxel does.
FRAME_PREVIEWS = env.flag("MANTA_FRAME_PREVIEWS")

SANDBOX_IMAGE = env.text("SANDBOX_IMAGE", "blaxel/prod-base:latest")
SANDBOX_MEMORY_MB = env.number("SANDBOX_MEMORY_MB", 4096, minimum=128)
SANDBOX_PORTS = env.ports("SANDBOX_PORTS", "3000")
SANDBOX_REGION = env.text("SANDBOX_REGION", "us-pdx-1")
SANDBOX_TTL = env.duration("SANDBOX_TTL", "24h")
SANDBOX_STARTER = env.text("SANDBOX_STARTER", "web")

# After so long without anybody doing something in an open workspace, it lets the sandbox sleep.
WORKSPACE_IDLE_AFTER = env.duration("WORKSPACE_IDLE_AFTER", "5m")

# How long the record of what was done is kept; 0s: for ever.
AUDIT_RETENTION = env.duration("MANTA_AUDIT_RETENTION", "365d")

# How long each call of an agent is kept; 0s: for ever.
CALLS_RETENTION = env.duration("MANTA_CALLS_RETENTION", "30d")

# How long making a sandbox may take before it counts as failed and offers Retry.
SANDBOX_START_TIMEOUT = timedelta(seconds=env.number("SANDBOX_START_TIMEOUT", 120, minimum=5))
# How often making it is tried again within that time; with these waits six take a minute.
SANDBOX_START_RETRIES = env.number("SANDBOX_START_RETRIES", 6)
# How many are made at once, by all workers together; the others wait in a queue.
SANDBOX_STARTS_AT_ONCE = env.number("SANDBOX_STARTS_AT_ONCE", 8, minimum=1)

# ---- Django

INSTALLED_APPS = [
    "accounts",
    "sandboxes",
    "operations",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "manta.core.static_files.StaticFiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "csp",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "operations.middleware.MetricsMiddleware",
    "accounts.tokens.ActingTokenMiddleware",
    # It pads each answer by chance, so that its length says nothing of a secret in it.
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # What has a header of its own, as static files, is left alone.
    "manta.core.middleware.NoCacheMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SessionActivityMiddleware",
    "manta.core.middleware.UserFacingErrorMiddleware",
]

ROOT_URLCONF = "manta.urls"
WSGI_APPLICATION = "manta.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "manta.core.context_processors.request_id",
                "sandboxes.web.context_processors.panel",
            ],
            "libraries": {"joined": "manta.core.joined"},
        },
    }
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = MANTA_STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# What has a hash in its name never changes: Django's are so, and the parts of static/vendor.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+(\.[0-9a-f]{12}|-[0-9A-Z]{8})\.\w+$"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "manta.core.static_files.StaticFilesStorage"
    },
}

# ---- Data

DATABASES = {
    "default": dj_database_url.parse(
        env.secret("DATABASE_URL") or f"sqlite:///{MANTA_STATE_DIR / 'manta.sqlite3'}",
        # One persistent connection a thread: a new one for each request cost half the rate.
        conn_max_age=None,
        # Asked before it is used: after a restart of the database each would fail once otherwise.
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE and WAL: with the defaults 39 % of contended writes were lost.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA busy_timeout=20000;"
            "PRAGMA journal_size_limit=27103364;PRAGMA cache_size=-20000;"
            "PRAGMA temp_store=MEMORY;PRAGMA mmap_size=134217728;"
        ),
    }
    # Tests with threads need a file: the in-memory database locks them out.
    DATABASES["default"]["TEST"] = {"NAME": MANTA_STATE_DIR / "test.sqlite3"}

REDIS_URL = env.secret("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "manta.core.cache.FallbackRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.1, "socket_timeout": 0.1},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
# In the database, Redis or not: a cached session outlived its sign-out while Redis was away.
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# ---- Accounts

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
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
# Anybody could wait in an account of somebody else's address otherwise.
ACCOUNT_EMAIL_VERIFICATION = env.choice(
    "ACCOUNT_EMAIL_VERIFICATION",
    "optional" if MANTA_LOCAL or DEBUG else "mandatory",
    ("none", "optional", "mandatory"),
)
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
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

EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = env.number("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Manta <manta@localhost>")

# ---- The web

if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
_secure = not (MANTA_LOCAL or DEBUG)
_cookie_prefix = "__Host-" if _secure else ""
SESSION_COOKIE_NAME = f"{_cookie_prefix}sessionid"
CSRF_COOKIE_NAME = f"{_cookie_prefix}csrftoken"
# A form never needs more, and a page must not repeat a megabyte that somebody sent as a name.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
CSRF_FAILURE_VIEW = "manta.core.error_pages.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = _secure
SECURE_REDIRECT_EXEMPT = [r"^readyz$"]
SECURE_HSTS_SECONDS = 31536000 if _secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _secure
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if _secure]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "frame-src": ["'self'", *(PREVIEW_ORIGINS if FRAME_PREVIEWS else [])],
        # Chromium holds the redirect that follows a form's POST to this list too: Open needs it,
        # and signing in at a provider.
        "form-action": ["'self'", *PREVIEW_ORIGINS, *SIGN_IN_ORIGINS],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "accounts.permissions.WithinScopes",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["manta.core.api_input.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "manta.core.api_input.ContentNegotiation",
    "DEFAULT_SCHEMA_CLASS": "accounts.schema.ScopedSchema",
    "EXCEPTION_HANDLER": "manta.core.api.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Manta",
    "DESCRIPTION": "Your own sandbox: its state, files, terminals, processes and ports.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        # Routes beside Django, which it can't find by itself.
        "sandboxes.streams.status.openapi.describe",
        "sandboxes.streams.transfers.openapi.describe",
        "sandboxes.streams.sandbox_events.openapi.describe",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "manta.core.request_context.RequestIdFilter"},
        "of_strangers": {"()": "manta.core.logs.OfStrangers"},
        "of_connections": {"()": "manta.core.logs.OfConnections"},
    },
    "formatters": {
        "line": {
            "()": "manta.core.logs.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
        },
        "json": {"()": "manta.core.logs.JSONFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request_id"],
        },
        "strangers": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["of_strangers", "request_id"],
        },
        "failures": {"class": "operations.failures.FailureHandler", "level": "ERROR"},
    },
    "root": {"handlers": ["console", "failures"], "level": LOG_LEVEL},
    "loggers": {
        # They log each request, which to the provider is one a second while a page is open.
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "mcp": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # Requests that were refused for what they are.
        "django.security": {"handlers": ["strangers"], "propagate": False},
        # It brings a handler of its own, which would write neither JSON nor request ids.
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.error": {"level": "WARNING", "filters": ["of_connections"]},
        # Addresses may hold what is nobody's business.
        "uvicorn.access": {"handlers": [], "propagate": False},
    },
}
