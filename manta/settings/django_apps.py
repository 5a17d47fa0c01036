"""Django: its apps, middleware, templates and static files."""

from manta.settings.runtime import BASE_DIR, DEBUG, MANTA_STATE_DIR

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
    "accounts.apps.UserSessions",
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
    "manta.core.middleware.CSPMiddleware",
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
            "builtins": ["manta.core.icons", "manta.core.constant_tag"],
        },
    }
]

LANGUAGE_CODE = "en-us"
# Manta has one language: no text of a page is looked up in a catalogue.
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = MANTA_STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# A file with a hash in its name never changes: Django's have one, and the parts of static/vendor.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+(\.[0-9a-f]{12}|-[0-9A-Z]{8})\.\w+$"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "manta.core.static_files.StaticFilesStorage"
    },
}
