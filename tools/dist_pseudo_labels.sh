#!/usr/bin/env bash
# Makes pseudo labels as dist_test.sh tests, with the same words in front and
# those of make_pseudo_labels.py after them:
#   GPUS=4 dist_pseudo_labels.sh CONFIG CHECKPOINT --out FOLDER
#   GPUS=4 dist_pseudo_labels.sh CONFIG --from-seeds FOLDER --out FOLDER
set -euo pipefail
TOOL=make_pseudo_labels.py exec bash "$(dirname "$0")/dist_test.sh" "$@"
