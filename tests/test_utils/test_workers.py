# Copyright (c) mmktse authors. All rights reserved.
import os
import os.path as osp
import signal
import subprocess
import sys
import time

import cv2
import pytest
import torch

from mmktse.utils import TaskPool, share_of_cores, worker_pool

KILLED = """
import sys, time
sys.path[:0] = {path!r}
if __name__ == '__main__':
    import os
    from mmktse.utils import worker_pool
    pool = worker_pool(1)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""

_set_up = ''


def set_up(text):
    global _set_up
    _set_up = text


def threads():
    return torch.get_num_threads(), cv2.getNumThreads(), _set_up


def test_one_thread_and_the_setup():
    with worker_pool(1, set_up, 'yes') as pool:
        assert pool.submit(threads).result() == (1, 1, 'yes')
    assert _set_up == ''


@pytest.mark.parametrize('variables, share', [
    (dict(), 12),
    (dict(LOCAL_WORLD_SIZE='4'), 3),
    (dict(LOCAL_WORLD_SIZE='40'), 1),
    (dict(SLURM_CPUS_PER_TASK='5'), 5),
    (dict(SLURM_CPUS_PER_TASK='5', LOCAL_WORLD_SIZE='2'), 6),
])
def test_share_of_cores(monkeypatch, variables, share):
    for name in ('LOCAL_WORLD_SIZE', 'SLURM_CPUS_PER_TASK'):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, 'sched_getaffinity', lambda pid: set(range(12)))
    assert share_of_cores() == share


def test_workers_end_with_a_killed_run(tmp_path):
    """Else each kill would leave idle processes with their memory."""
    script = tmp_path / 'run.py'
    script.write_text(KILLED.format(path=sys.path))
    run = subprocess.Popen([sys.executable, script],
                           stdout=subprocess.PIPE,
                           text=True)
    worker = int(run.stdout.readline())
    run.kill()
    run.wait()
    stat = f'/proc/{worker}/stat'
    for _ in range(300):
        # A zombie is one that ended; who adopted it has not looked yet.
        if not osp.exists(stat) or ') Z' in open(stat).read():
            return
        time.sleep(.1)
    os.kill(worker, signal.SIGKILL)
    pytest.fail('the worker outlives the run')


class Square:
    """Squares a number; an odd one takes longer than an even one."""

    def prepare(self):
        self.exponent = 2

    def __call__(self, number):
        if number < 0:
            raise ValueError(f'{number} is negative')
        if number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(.05 * (number % 2))
        return number**self.exponent


@pytest.fixture
def pool():
    pool = TaskPool(Square(), 2, 'A worker was killed.')
    yield pool
    pool.close()


def test_results_come_in_order_while_few_items_wait(pool):
    results = []
    for number in range(1, 20):
        results += pool.add([number])
        results += pool.results(left=3)
        assert len(pool.waiting) + len(pool.running) <= 3
        assert len(results) + len(pool) == number
    results += pool.results()
    assert results == [number**2 for number in range(1, 20)]
    assert len(pool) == 0


def test_error_of_a_worker_arrives(pool):
    pool.add([1, -3, 2])
    with pytest.raises(ValueError, match='-3 is negative'):
        list(pool.results())


def test_killed_worker_is_one_sentence(pool):
    pool.add([0])
    with pytest.raises(RuntimeError, match='^A worker was killed.$'):
        list(pool.results())
