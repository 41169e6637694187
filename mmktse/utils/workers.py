# Copyright (c) mmktse authors. All rights reserved.
import multiprocessing
import os
import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Callable, Iterator, List, Optional, Sequence

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


_task: Any = None


def _prepare(task: Any) -> None:
    global _task
    try:
        task.prepare()
        _task = task
    except Exception as error:
        # An error here would break the pool without its reason.
        _task = error


def _do(item: Any) -> Any:
    if isinstance(_task, Exception):
        raise _task
    return _task(item)


class TaskPool:
    """Processes of one thread each that work while more items are added.

    Args:
        task (Callable): Does the work of an item. It travels to the workers,
            where its method ``prepare()`` is called once.
        num_workers (int): Number of processes.
        killed (str): The sentence for the user when the system kills a
            worker.
    """

    def __init__(self, task: Callable, num_workers: int, killed: str) -> None:
        self.executor = worker_pool(num_workers, _prepare, task)
        self.killed = killed
        # Python ends only when all that was submitted is done: a run that
        # fails must not wait for thousands of items.
        self.limit = 2 * num_workers
        self.waiting: deque = deque()
        self.running: set = set()
        self.futures: deque = deque()  # in order, results not taken yet

    def __len__(self) -> int:
        """Number of items whose results were not taken."""
        return len(self.waiting) + len(self.futures)

    def add(self, items: Sequence[Any]) -> List[Any]:
        """Takes on items, and raises what went wrong with earlier ones.

        Returns:
            list: Results that are there; see :meth:`results`.
        """
        self.waiting.extend(items)
        return self._step(timeout=0)

    def results(self, left: int = 0) -> Iterator[Any]:
        """Yields results in the order in which their items were added.

        Args:
            left (int): Waits until no more items than this are unfinished.
                Defaults to 0.
        """
        while len(self.waiting) + len(self.running) > left:
            yield from self._step()

    def _step(self, timeout: Optional[float] = None) -> List[Any]:
        try:
            while self.waiting and len(self.running) < self.limit:
                future = self.executor.submit(_do, self.waiting.popleft())
                self.running.add(future)
                self.futures.append(future)
            done, self.running = wait(self.running, timeout, FIRST_COMPLETED)
            for future in done:
                future.result()
            results = []
            while self.futures and self.futures[0] not in self.running:
                results.append(self.futures.popleft().result())
        except BrokenProcessPool as error:
            raise RuntimeError(self.killed) from error
        return results

    def close(self) -> None:
        """Ends the processes; what was not begun is left undone."""
        self.executor.shutdown(cancel_futures=True)
