"""Cookies, HTTPS, and what a page may load."""

from manta.settings.accounts import SIGN_IN_ORIGINS
from manta.settings.runtime import ALLOWED_HOSTS, DEBUG, MANTA_LOCAL, TRUSTED_PROXY_COUNT
from manta.settings.sandboxes import FRAME_PREVIEWS, PREVIEW_ORIGINS

if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
_secure = not (MANTA_LOCAL or DEBUG)
_cookie_prefix = "__Host-" if _secure else ""
SESSION_COOKIE_NAME = f"{_cookie_prefix}sessionid"
CSRF_COOKIE_NAME = f"{_cookie_prefix}csrftoken"
# A form never needs more, and a page must not repeat a megabyte that was sent as a name.
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
