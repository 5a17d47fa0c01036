#!/bin/sh
# Gets this checkout ready for `make run`, `make serve` or `make test`: .venv from the hash-locked
# requirements, and from apt, where it may: bubblewrap, for local sandboxes, and for tests Chromium.
# Quick when nothing has changed. Usage: scripts/setup.sh run|serve|test
set -eu
cd "$(dirname "$0")/.."
purpose=$1

say() { printf 'setup: %s\n' "$*" >&2; }

# Print the first Python that is new enough.
find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed; here: $(python3 --version 2>&1 || true)." \
        "On Debian 12, Ubuntu 24.04 and later: sudo apt-get install python3 python3-venv"
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 \
        --no-install-recommends install -y "$1" </dev/null >&2
}

# want PACKAGE REASON COMMAND...: install PACKAGE unless one of the commands is there.
want() {
    package=$1 reason=$2
    shift 2
    for command in "$@"; do
        if command -v "$command" >/dev/null 2>&1; then return; fi
    done
    if command -v apt-get >/dev/null 2>&1 && as_root true 2>/dev/null; then
        say "installing $package ($reason)"
        # The first try needs no network when the package lists are already there and fresh.
        apt_install "$package" 2>/dev/null && return
        as_root apt-get -qq update </dev/null >&2 && apt_install "$package" && return
    fi
    say "$package is missing ($reason). To install it: sudo apt-get install $package"
}

python=$(find_python)
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    say "Python's venv module is missing. To install it: sudo apt-get install python3-venv"
    exit 1
fi
if [ "$purpose" = test ]; then lock="test"; else lock="run"; fi
"$python" scripts/install.py "$lock"

if [ "$purpose" != serve ] && [ "$(uname -s)" = Linux ]; then
    want bubblewrap "it isolates local sandboxes" bwrap
fi
if [ "$purpose" = test ]; then
    want chromium-headless-shell "browser tests are skipped without it" \
        chromium-headless-shell chromium chromium-browser google-chrome
fi
