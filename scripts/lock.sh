#!/bin/sh
# Writes the hash-locked requirements; options go to uv. They name no index: each machine has its own.
set -eu
cd "$(dirname "$0")/.."
compile() {
    lock=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --output-file "$lock" "$@"
}
compile requirements.lock pyproject.toml "$@"
compile requirements-dev.lock --group dev pyproject.toml "$@"
echo uv | compile requirements-uv.lock --no-annotate - "$@"
