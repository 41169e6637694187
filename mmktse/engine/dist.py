# Copyright (c) mmktse authors. All rights reserved.
import gc
import os
import sys
import time
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Iterator, Union

import torch.distributed as torch_dist
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import barrier, init_dist, is_distributed, is_main_process
from mmengine.utils.dl_utils import set_multi_processing

from mmktse.utils import folder_lock

# Rank, rank on its node and number of processes, as each launcher names them.
_VARIABLES = dict(
    pytorch=('RANK', 'LOCAL_RANK', 'WORLD_SIZE'),
    slurm=('SLURM_PROCID', 'SLURM_LOCALID', 'SLURM_NTASKS'),
    mpi=('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_LOCAL_RANK',
         'OMPI_COMM_WORLD_SIZE'))
# Seconds; torchrun's store is there before its processes are.
_STORE_TIMEOUT = 30


def setup_distributed(cfg: Config, launcher: str) -> None:
    """Starts the process group, on a machine without a GPU as well.

    That is before the Runner does it, which comes when the tools have looked
    at their folders. MMEngine's launchers choose a CUDA device and its
    default wrapper names one, which fails on a CPU. There, the group is one
    of gloo, and the wrapper is told to use no device. With a single process
    nothing but ``cfg.launcher`` is set.

    Args:
        cfg (Config): Config of the Runner; changed in place.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.

    Raises:
        ValueError: If the launcher is unknown, or did not start this process.
        ConnectionError: If torchrun, which started it, is gone already.
    """
    cfg.launcher = launcher
    if launcher == 'none':
        return
    if launcher not in _VARIABLES:
        raise ValueError(f'The launcher "{launcher}" is unknown; use "none" '
                         f'or one of {", ".join(_VARIABLES)}.')
    absent = [name for name in _VARIABLES[launcher] if name not in os.environ]
    if absent:
        raise ValueError(
            f'--launcher {launcher} needs {", ".join(absent)} in the '
            'environment: start through tools/dist_*.sh or tools/slurm_*.sh, '
            'or leave --launcher away for a single process.')
    if os.environ.get('TORCHELASTIC_USE_AGENT_STORE') == 'True':
        _end_with_torchrun()
    env_cfg = cfg.get('env_cfg') or {}
    dist_cfg = env_cfg.get('dist_cfg') or {}
    if get_device() != 'cpu':
        if not is_distributed():
            # As the Runner does it, in this order.
            set_multi_processing(
                **env_cfg.get('mp_cfg') or {}, distributed=True)
            init_dist(launcher, **dist_cfg)
        return
    for name, source in zip(_VARIABLES['pytorch'], _VARIABLES[launcher]):
        os.environ[name] = os.environ[source]
    os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
    os.environ.setdefault('MASTER_PORT', '29500')
    if not is_distributed():
        timeout = dist_cfg.get('timeout')
        torch_dist.init_process_group(
            'gloo', timeout=timedelta(seconds=timeout) if timeout else None)
    wrapper = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False))
    wrapper.update(cfg.get('model_wrapper_cfg') or {}, device_ids=None)
    cfg.model_wrapper_cfg = wrapper


def _end_with_torchrun() -> None:
    """Ends this process as soon as torchrun, which started it, is gone.

    A killed torchrun leaves its processes behind. They would go on in the
    folder that the next run takes up, or, where they were just starting, wait
    for torchrun's store as long as ranks may wait for each other.
    """
    parent = os.getppid()
    address, port = os.environ['MASTER_ADDR'], os.environ['MASTER_PORT']
    try:
        torch_dist.TCPStore(
            address,
            int(port),
            is_master=False,
            timeout=timedelta(seconds=_STORE_TIMEOUT))
    except torch_dist.DistError as error:
        raise ConnectionError(
            f'torchrun does not answer at {address}:{port}, it was probably '
            'killed: start the same command again.') from error
    Thread(target=_wait_for_end, args=(parent, ), daemon=True).start()


def _wait_for_end(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    print('torchrun is gone: its process ends.', file=sys.stderr, flush=True)
    os._exit(1)


@contextmanager
def sole_run(folder: Union[str, Path]) -> Iterator[None]:
    """Keeps a second run, of any number of processes, out of a folder.

    Rank 0 holds the lock, and the others wait until it does: what they find
    in the folder is what rank 0 finds. Where it fails, the launcher ends
    them. To be called after :func:`setup_distributed`.

    Args:
        folder (str | Path): Folder of results; made if needed.

    Raises:
        BusyError: If another run is at work there.
        OSError: If the folder cannot be made or written to.
    """
    with folder_lock(folder) if is_main_process() else nullcontext():
        barrier()
        yield


def allow_long_waits(cfg: Config) -> None:
    """Lets ranks wait for each other for a day.

    Where each image is refined apart, one rank may take hours longer than
    another; the default ends a run after some minutes.

    Args:
        cfg (Config): Config of the Runner; changed in place.
    """
    env_cfg = cfg.get('env_cfg') or {}
    dist_cfg = dict(backend='nccl', timeout=86400)
    dist_cfg.update(env_cfg.get('dist_cfg') or {})
    cfg.env_cfg = dict(env_cfg, dist_cfg=dist_cfg)


def leave_distributed() -> None:
    """Leaves the process group, if there is one, after work that succeeded.

    A process that merely ends may abort, as threads of gloo still hold
    objects of the interpreter. After a failure other ranks may be waiting,
    so that leaving would hang: torchrun ends them.
    """
    if is_distributed():
        torch_dist.destroy_process_group()
        # What else holds the group, such as a Runner and its wrapped model.
        gc.collect()
