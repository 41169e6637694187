# Copyright (c) mmktse authors. All rights reserved.
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import Callable, Optional

import cv2
import torch
from mmengine.dist import get_world_size


def _end_with_parent() -> None:
    # A worker whose parent was killed would wait for work forever.
    multiprocessing.parent_process().join()
    os._exit(1)


def _start(setup: Optional[Callable], args: tuple) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    if setup is not None:
        setup(*args)


def share_of_cores() -> int:
    """Cores for the workers of this process, at least 1.

    Slurm gives every process cores of its own; the processes of torchrun
    share those of their machine.
    """
    cores = len(os.sched_getaffinity(0))
    if 'LOCAL_WORLD_SIZE' in os.environ:
        cores //= int(os.environ['LOCAL_WORLD_SIZE'])
    elif 'SLURM_CPUS_PER_TASK' in os.environ:
        cores = min(cores, int(os.environ['SLURM_CPUS_PER_TASK']))
    else:
        cores //= get_world_size()
    return max(cores, 1)


def worker_pool(num_workers: int,
                setup: Optional[Callable] = None,
                *args) -> ProcessPoolExecutor:
    """Processes of one thread each, which end when this one is killed.

    Args:
        num_workers (int): Number of processes.
        setup (Callable, optional): Called once in each of them, with
            ``args``.
    """
    # A forked child would inherit locks of the threads of its parent.
    context = multiprocessing.get_context('spawn')
    return ProcessPoolExecutor(num_workers, context, _start, (setup, args))
