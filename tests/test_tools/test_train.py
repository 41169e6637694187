# Copyright (c) mmktse authors. All rights reserved.
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader

ROOT = Path(__file__).parents[2]
CONFIG = str(ROOT / 'tests' / 'data' / 'toy_ktse.py')
STEPS = 2 + 2 * 2


@pytest.fixture
def environment():
    """Lets other processes find the package and the toy training."""
    path = [str(ROOT), str(ROOT / 'tests' / 'data')]
    if 'PYTHONPATH' in os.environ:
        path.append(os.environ['PYTHONPATH'])
    return dict(
        os.environ,
        PYTHONPATH=os.pathsep.join(path),
        PYTHON=sys.executable,
        OMP_NUM_THREADS='1',
        CUDA_VISIBLE_DEVICES='')


@pytest.fixture
def train(monkeypatch):
    """Runs the tool in this process."""
    monkeypatch.syspath_prepend(ROOT / 'tests' / 'data')
    main = runpy.run_path(str(ROOT / 'tools' / 'train.py'))['main']

    def run(*words):
        monkeypatch.setattr(sys, 'argv', ['train.py', *map(str, words)])
        main()

    return run


def losses(folder, rank=0):
    lines = (folder / f'losses_{rank}.jsonl').read_text().splitlines()
    return [json.loads(line) for line in lines]


def weights(folder, epoch=3):
    path = str(folder / f'epoch_{epoch}.pth')
    return CheckpointLoader.load_checkpoint(path, 'cpu')['state_dict']


def assert_same(got, want, tol):
    assert set(got) == set(want)
    for name in want:
        torch.testing.assert_close(got[name], want[name], rtol=tol, atol=tol)


@pytest.fixture
def sentence(train, capfd):
    """Runs the tool on bad input and returns what it says."""

    def run(*words):
        with pytest.raises(SystemExit) as info:
            train(*words)
        assert info.value.code not in (0, None)
        assert '\n' not in info.value.code
        assert 'Traceback' not in capfd.readouterr().err
        return info.value.code

    return run


def test_resume_after_a_kill_gives_the_same_weights(train, tmp_path):
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    train(CONFIG, '--work-dir', whole)
    assert len(losses(whole)) == STEPS
    killed.mkdir()
    # As a kill in the first epoch of pairs leaves it: the next checkpoint is
    # torn, and the last one named is gone already.
    train(CONFIG, '--work-dir', killed, '--cfg-options',
          'train_cfg.max_epochs=2')
    (killed / 'epoch_2.pth').write_bytes(
        (killed / 'epoch_2.pth').read_bytes()[:1000])
    (killed / 'last_checkpoint').write_text(str(killed / 'epoch_0.pth'))
    (killed / 'losses_0.jsonl').unlink()
    train(CONFIG, '--work-dir', killed, '--resume')
    assert len(losses(killed)) == STEPS - 2
    assert losses(killed) == losses(whole)[2:]
    assert_same(weights(killed), weights(whole), 0)


def test_resume_without_checkpoint_starts_anew(train, tmp_path):
    train(CONFIG, '--work-dir', tmp_path, '--resume', '--cfg-options',
          'train_cfg.max_epochs=1')
    assert len(losses(tmp_path)) == 2


def test_two_processes_equal_one_with_the_doubled_batch(
        train, environment, tmp_path):
    """Exact up to rounding, the batch-wide terms included.

    Masked means are taken over all processes, every process joins its share
    of the first pairs, and there is no batch norm in training mode.
    """
    one, two = tmp_path / 'one', tmp_path / 'two'
    train(CONFIG, '--work-dir', one)
    port = 20000 + os.getpid() % 20000
    done = subprocess.run([
        'bash', ROOT / 'tools' / 'dist_train.sh', CONFIG, '--work-dir', two,
        '--cfg-options', 'warmup_dataloader.batch_size=4',
        'train_dataloader.batch_size=8'
    ],
                          env=dict(environment, GPUS='2', PORT=str(port)),
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    want, ranks = losses(one), [losses(two, rank) for rank in range(2)]
    assert len(want) == STEPS == len(ranks[0]) == len(ranks[1])
    names = [name for name in want[-1] if name.startswith('loss')]
    assert {'loss_cls', 'loss_kt', 'loss_fg', 'loss_two'} <= set(names)
    for step, first, second in zip(want, *ranks):
        assert first['loss'] != second['loss']
        for name in step:
            if name.startswith('loss'):
                mean = (first[name] + second[name]) / 2
                assert mean == pytest.approx(step[name], rel=1e-4, abs=1e-7)
    assert_same(weights(two), weights(one), 1e-5)


def test_missing_data_folder(sentence, tmp_path):
    message = sentence(ROOT / 'configs' / 'ktse' / 'ktse_r101_voc.py',
                       '--work-dir', tmp_path, '--cfg-options',
                       f'data_root={tmp_path}/none')
    assert f'{tmp_path}/none' in message
    assert 'data_root=DIR' in message


def test_missing_pretrained_weights(sentence, tmp_path):
    message = sentence(
        CONFIG, '--work-dir', tmp_path, '--cfg-options',
        'model.backbone.init_cfg.type=Pretrained',
        f'model.backbone.init_cfg.checkpoint={tmp_path}/no.pth')
    assert f'{tmp_path}/no.pth' in message
    assert 'model.backbone.init_cfg=None' in message


def test_pretrained_weights_that_cannot_be_downloaded(sentence, tmp_path,
                                                      monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'hub'))
    # Nothing listens on this port.
    message = sentence(
        CONFIG, '--work-dir', tmp_path, '--cfg-options',
        'model.backbone.init_cfg.type=Pretrained',
        'model.backbone.init_cfg.checkpoint='
        'http://127.0.0.1:9/net.pth')
    assert 'http://127.0.0.1:9/net.pth' in message
    assert 'model.backbone.init_cfg=None' in message


def test_missing_checkpoint(sentence, tmp_path):
    message = sentence(CONFIG, '--work-dir', tmp_path, '--resume',
                       tmp_path / 'no.pth')
    assert str(tmp_path / 'no.pth') in message


def test_missing_config(sentence, tmp_path):
    assert 'no_config.py' in sentence(tmp_path / 'no_config.py')


@pytest.mark.skipif(
    torch.cuda.is_available(), reason='the refusal concerns CPUs')
@pytest.mark.parametrize('given, scale', [
    (dict(), dict(enabled=False)),
    (dict(dtype='float16'), None),
    (dict(loss_scale='dynamic'), 'dynamic'),
])
def test_bfloat16_needs_no_scaler(given, scale):
    """It would hide steps from FiniteStepHook."""
    cfg = Config(dict(optim_wrapper=given))
    runpy.run_path(str(ROOT / 'tools' / 'train.py'))['enable_amp'](cfg)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.optim_wrapper.get('loss_scale') == scale


def test_amp_without_gpu(sentence, tmp_path):
    assert 'GPU' in sentence(CONFIG, '--work-dir', tmp_path, '--amp')


def test_exit_code_without_a_traceback(environment, tmp_path):
    """As a shell sees it."""
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / 'train.py', tmp_path / 'no.py'],
        env=environment,
        capture_output=True,
        text=True)
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    assert f'error: There is no config {tmp_path}/no.py' in done.stderr
