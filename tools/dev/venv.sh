#!/usr/bin/env bash
# Makes a virtual environment with mmktse and the tested set of packages:
#   venv.sh FOLDER EXTRAS
# An environment that was finished for the same requirements is left as it is.
# PYTHON=... in the environment chooses the interpreter (3.10 to 3.12).
set -euo pipefail

folder=$1
extras=$2
cd "$(dirname "$0")/../.."

suits() {
    "$1" -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' \
        >/dev/null 2>&1
}

python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in python3.12 python3.11 python3.10 python3 python; do
        if suits "$candidate"; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ] || ! suits "$python"; then
    echo "error: mmktse needs Python 3.10, 3.11 or 3.12 with the module venv;" \
        "name one with PYTHON=/path/to/python." >&2
    exit 1
fi

# Written last, so that a killed installation is done once more.
done_mark=$folder/.mmktse-installed
wanted="$extras $(cat setup.cfg requirements/constraints.txt | cksum)"
if [ "$(cat "$done_mark" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
echo "Installing into $folder with $("$python" -V); about two minutes ..."
rm -f "$done_mark"
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --disable-pip-version-check \
    -c requirements/constraints.txt -e ".[$extras]"
echo "$wanted" >"$done_mark"
