#!/bin/sh
# Set this machine up for the platform: a virtual environment with the locked
# packages, the few system packages it stands on, and the web interface. Quick when
# nothing changed.
#
# The lock names versions and hashes, not an index: wheels come from wherever
# this machine's own pip or uv configuration says.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }

stamp=$(cat uv.lock pyproject.toml sandbox/sdk/pyproject.toml deploy/setup.sh | sha256sum | cut -d' ' -f1)
if [ -x .venv/bin/signalbox ] && [ "$(cat .venv/.stamp 2>/dev/null)" = "$stamp" ]; then
    exec .venv/bin/python subscriber_ui/build.py
fi

missing=""
command -v git >/dev/null || missing="$missing git"
command -v ssh-keygen >/dev/null || missing="$missing openssh-client"
command -v bwrap >/dev/null || missing="$missing bubblewrap"
# Debian's own first: the base image has the same, and every user can reach it.
python=$(command -v /usr/bin/python3.11 || command -v python3.11 || command -v python3 || true)
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    say "Python 3.11 is needed and was not found; on Debian 12: apt-get install python3"
    exit 1
fi
"$python" -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing Debian packages:$missing"
        apt-get update -qq
        # shellcheck disable=SC2086 # a list of names
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
    else
        say "these system packages are missing:$missing"
        say "install them and call make again: sudo apt-get install$missing"
        exit 1
    fi
fi

if [ ! -x .venv/bin/python ]; then
    say "making .venv with $("$python" --version)"
    "$python" -m venv .venv
fi
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
say "installing the locked packages"
export UV_SYSTEM_CERTS=1 # the machine's own certificate authorities count
.venv/bin/uv export --quiet --frozen --no-emit-workspace --all-groups --output-file .venv/requirements.txt >/dev/null
.venv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes .venv/requirements.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --editable . --editable sandbox/sdk
echo "$stamp" > .venv/.stamp
.venv/bin/python subscriber_ui/build.py
