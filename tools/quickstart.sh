#!/usr/bin/env bash
# Installs mmktse into .venv and runs the whole chain on generated images, on
# a CPU: baseline CAM, KTSE, refinement, segmentation network, table, figure.
# PYTHON=... chooses the interpreter; further arguments go to run_pipeline.py.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/dev/venv.sh .venv onedl,quickstart
exec .venv/bin/python tools/run_pipeline.py configs/pipelines/quickstart.py "$@"
