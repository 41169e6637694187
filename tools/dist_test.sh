#!/usr/bin/env bash
# Tests in several processes of one machine, on GPUs or (gloo) on a CPU:
#   dist_test.sh CONFIG CHECKPOINT GPUS [arguments of test.py]
#   GPUS=2 dist_test.sh CONFIG CHECKPOINT [arguments of test.py]
# PYTHON=... chooses the interpreter. For several machines set NNODES,
# NODE_RANK, MASTER_ADDR and PORT.
set -euo pipefail

CONFIG=$1
CHECKPOINT=$2
shift 2
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    GPUS=$1
    shift
fi

here=$(dirname "$0")
PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}" \
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="${GPUS:?name the number of processes}" \
    "$here/${TOOL:-test.py}" --launcher pytorch "$CONFIG" "$CHECKPOINT" "$@"
