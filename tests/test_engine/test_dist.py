# Copyright (c) mmktse authors. All rights reserved.
import os
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.distributed as torch_dist
from mmengine.config import Config

from mmktse.engine import dist
from mmktse.engine.dist import (allow_long_waits, leave_distributed,
                                setup_distributed, sole_run)
from mmktse.utils import BusyError, folder_lock

VARIABLES = ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'SLURM_PROCID',
             'SLURM_LOCALID', 'SLURM_NTASKS', 'MASTER_ADDR', 'MASTER_PORT',
             'TORCHELASTIC_USE_AGENT_STORE')


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    """A process of its own on a CPU, outside of any group."""
    monkeypatch.setattr(dist, 'get_device', lambda: 'cpu')
    for name in VARIABLES:
        # Set before, so that what the code sets is undone too.
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)
    yield
    if torch_dist.is_initialized():
        torch_dist.destroy_process_group()


@pytest.fixture
def alone(monkeypatch):
    """Says through Slurm's variables that there is one process."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    for name, value in (('SLURM_PROCID', 0), ('SLURM_LOCALID', 0),
                        ('SLURM_NTASKS', 1), ('MASTER_PORT', port)):
        monkeypatch.setenv(name, str(value))


def test_single_process_is_left_alone():
    cfg = Config(dict())
    setup_distributed(cfg, 'none')
    assert cfg.to_dict() == dict(launcher='none')
    assert not torch_dist.is_initialized()


def test_group_of_gpus_is_there_before_the_runner(alone, monkeypatch):
    calls = []
    monkeypatch.setattr(dist, 'get_device', lambda: 'cuda')
    for name in ('set_multi_processing', 'init_dist'):
        monkeypatch.setattr(
            dist, name, lambda *args, **kwargs: calls.append((*args, kwargs)))
    env_cfg = dict(
        mp_cfg=dict(mp_start_method='fork'), dist_cfg=dict(timeout=60))
    cfg = Config(dict(env_cfg=env_cfg))
    setup_distributed(cfg, 'slurm')
    assert calls == [(dict(env_cfg['mp_cfg'], distributed=True), ),
                     ('slurm', env_cfg['dist_cfg'])]
    assert 'model_wrapper_cfg' not in cfg
    setup_distributed(Config(dict()), 'slurm')
    assert calls[2:] == [(dict(distributed=True), ), ('slurm', {})]


def test_slurm_on_a_cpu(alone):
    cfg = Config(
        dict(
            find_unused_parameters=True,
            env_cfg=dict(dist_cfg=dict(backend='nccl', timeout=60))))
    setup_distributed(cfg, 'slurm')
    assert torch_dist.get_backend() == 'gloo'
    assert torch_dist.get_world_size() == 1
    assert os.environ['LOCAL_RANK'] == '0'
    assert cfg.model_wrapper_cfg == dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=True)


def test_wrapper_of_the_config_is_kept_but_for_its_device(alone):
    cfg = Config(
        dict(
            model_wrapper_cfg=dict(
                type='Mine', device_ids=[0], static_graph=True)))
    setup_distributed(cfg, 'slurm')
    assert cfg.model_wrapper_cfg.type == 'Mine'
    assert cfg.model_wrapper_cfg.device_ids is None
    assert cfg.model_wrapper_cfg.static_graph


def test_launcher_that_did_not_start_this_process():
    with pytest.raises(ValueError, match='RANK.*dist_'):
        setup_distributed(Config(dict()), 'pytorch')


def test_unknown_launcher():
    with pytest.raises(ValueError, match='kubernetes'):
        setup_distributed(Config(dict()), 'kubernetes')


def test_torchrun_is_gone_before_the_start(alone, monkeypatch):
    for name, value in (('RANK', 0), ('LOCAL_RANK', 0), ('WORLD_SIZE', 1),
                        ('MASTER_ADDR',
                         '127.0.0.1'), ('TORCHELASTIC_USE_AGENT_STORE', True)):
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(dist, '_STORE_TIMEOUT', 1)
    with pytest.raises(ConnectionError, match='torchrun does not answer'):
        setup_distributed(Config(dict()), 'pytorch')


def test_processes_of_a_killed_torchrun_end(tmp_path):
    script = tmp_path / 'rank.py'
    script.write_text("""\
import os, sys, time
from mmengine.config import Config
from mmktse.engine.dist import setup_distributed
from mmktse.utils import folder_lock

setup_distributed(Config(dict()), 'pytorch')
with folder_lock(os.path.join(sys.argv[1], os.environ['RANK'])):
    open(os.path.join(sys.argv[1], 'at_work_' + os.environ['RANK']), 'w')
    time.sleep(600)
""")
    launcher = subprocess.Popen([
        sys.executable, '-m', 'torch.distributed.run', '--standalone',
        '--nproc_per_node=2', script, tmp_path
    ])
    for rank in range(2):
        while not (tmp_path / f'at_work_{rank}').exists():
            assert launcher.poll() is None
            time.sleep(.1)
    launcher.kill()
    launcher.wait()
    for rank in range(2):
        with folder_lock(tmp_path / f'{rank}', patience=60):
            pass


def test_ranks_wait_for_the_slowest():
    cfg = Config()
    allow_long_waits(cfg)
    assert cfg.env_cfg.dist_cfg == dict(backend='nccl', timeout=86400)
    cfg = Config(dict(env_cfg=dict(dist_cfg=dict(backend='x', timeout=60))))
    allow_long_waits(cfg)
    assert cfg.env_cfg.dist_cfg == dict(backend='x', timeout=60)


def test_group_and_its_threads_are_gone(alone):

    def threads():
        return [
            path.read_text() for path in Path('/proc/self/task').glob('*/comm')
            if 'gloo' in path.read_text()
        ]

    leave_distributed()  # nothing to leave
    before = threads()
    setup_distributed(Config(dict()), 'slurm')
    # A thread takes its name a little after it has begun.
    for _ in range(100):
        if len(threads()) > len(before):
            break
        time.sleep(.1)
    assert len(threads()) > len(before)
    holder = dict(group=torch_dist.group.WORLD)
    holder['self'] = holder  # as a Runner refers to itself
    del holder
    leave_distributed()
    assert not torch_dist.is_initialized()
    assert threads() == before


def test_a_second_run_is_kept_out(tmp_path, monkeypatch):
    monkeypatch.setattr(dist, 'folder_lock', partial(folder_lock, patience=0))
    with sole_run(tmp_path):
        with pytest.raises(BusyError):
            with sole_run(tmp_path):
                pass
    with sole_run(tmp_path):
        pass


def _rank(rank, folder, port):
    os.environ.update(
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE='2')
    setup_distributed(Config(dict()), 'pytorch')
    (folder / f'rank{rank}').touch()
    while not (folder / 'go').exists():
        time.sleep(.01)
    with sole_run(folder / 'work'):
        found = [path.name for path in (folder / 'work').glob('*.pth')]
        (folder / f'found{rank}').write_text(' '.join(found))
    leave_distributed()


def test_all_ranks_see_the_folder_that_rank_0_holds(tmp_path):
    """What the run before still writes there is seen by all or by none."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    ranks = torch.multiprocessing.start_processes(
        _rank, (tmp_path, port), 2, join=False, start_method='fork')
    while len(list(tmp_path.glob('rank*'))) < 2:
        assert not ranks.join(.1)
    with folder_lock(tmp_path / 'work'):
        (tmp_path / 'go').touch()
        time.sleep(.5)  # for a rank that does not wait
        (tmp_path / 'work' / 'epoch_1.pth').touch()
    while not ranks.join():
        pass
    for rank in range(2):
        assert (tmp_path / f'found{rank}').read_text() == 'epoch_1.pth'
