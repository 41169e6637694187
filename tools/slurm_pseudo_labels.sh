#!/usr/bin/env bash
# Makes pseudo labels as slurm_test.sh tests, with the same words in front and
# those of make_pseudo_labels.py after them:
#   slurm_pseudo_labels.sh PARTITION JOB_NAME CONFIG CHECKPOINT --out FOLDER
#   slurm_pseudo_labels.sh PARTITION JOB_NAME CONFIG --from-seeds FOLDER --out FOLDER
set -euo pipefail
TOOL=make_pseudo_labels.py exec bash "$(dirname "$0")/slurm_test.sh" "$@"
