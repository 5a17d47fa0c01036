"""Settings of the installation's mode and its public address."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from manta.core import env

BASE_DIR = Path(__file__).resolve().parents[2]
env.load_dotenv(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG")
# Production with local means: plain-http cookies, a provider on loopback. `make run` sets it.
MANTA_LOCAL = env.flag("MANTA_LOCAL")
MANTA_STATE_DIR = Path(env.text("MANTA_STATE_DIR") or BASE_DIR / ".manta").resolve()
SECRET_KEY = env.secret("SECRET_KEY", "insecure-development-key" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. `make run` creates one automatically.")

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
WEB_THREADS = env.number("WEB_THREADS", 8, minimum=2)
WORKER_CONCURRENCY = env.number("WORKER_CONCURRENCY", 1)
WORKER_THREADS = env.number("WORKER_THREADS", 8, minimum=1)
LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
# Lines are for people; what collects the logs of an installation reads JSON.
LOG_FORMAT = env.choice("LOG_FORMAT", "line" if MANTA_LOCAL or DEBUG else "json", ("line", "json"))
# Failures are sent there; in the admin they are in any case.
SENTRY_DSN = env.secret("SENTRY_DSN")
# A client that sends it as a bearer token may read /metrics from another machine.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
