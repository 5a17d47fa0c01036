#!/bin/sh
# Are the migrations complete? Then Django's checks for deployment, with the variables that an
# installation on the internet has.
set -eu
cd "$(dirname "$0")/.."
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
manage() {
    env MANTA_STATE_DIR="$state" DEBUG=false MANTA_LOCAL=false DATABASE_URL= \
        SECRET_KEY=a-key-of-this-check-alone-7hYq2VbX9sLw4TzKf3NcRm8JdPgUe6Aa \
        ALLOWED_HOSTS=manta.example TRUSTED_PROXY_COUNT=1 \
        BLAXEL_WORKSPACE_ID=example BLAXEL_API_KEY=example \
        .venv/bin/python manage.py "$@"
}
manage makemigrations --check --dry-run
manage check --deploy --fail-level WARNING
