#!/bin/sh
# tools/venv.sh PYTHON REQUIREMENTS: the virtual environment .venv with these packages, or words that say what is missing.
set -eu
python=$1 requirements=$2

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Python 3.11 or newer is needed, and '$python' is not it. Install it, or name one: make PYTHON=/path/to/python3.11 …" >&2
    exit 2
fi
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "Making a virtual environment in .venv …"
    rm -rf .venv
    if ! "$python" -m venv .venv >.venv.log 2>&1; then
        rm -rf .venv
        # Debian splits this part of Python off.
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            { apt-get update && apt-get install -y "python$version-venv"; } >>.venv.log 2>&1 || true
        fi
        if ! "$python" -m venv .venv >>.venv.log 2>&1; then
            cat .venv.log >&2
            echo "A virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv" >&2
            exit 2
        fi
    fi
    rm -f .venv.log
fi
echo "Installing the packages of $requirements …"
.venv/bin/python -m pip install --quiet -r "$requirements"
