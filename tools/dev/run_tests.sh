#!/usr/bin/env bash
# Installs mmktse into .venv-tests and runs the tests.
# PYTHON=... chooses the interpreter; further arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash tools/dev/venv.sh .venv-tests onedl,crf,quickstart,tests
# The tests are small: more threads only get into each other's way.
export OMP_NUM_THREADS=1
exec .venv-tests/bin/python -m pytest -q -n auto --maxprocesses 8 "$@"
