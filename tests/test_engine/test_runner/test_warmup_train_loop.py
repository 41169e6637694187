# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import Dataset

import mmktse.engine.hooks  # noqa: F401
from mmktse.registry import DATASETS, MODELS


class NoisyData(Dataset):
    """Ten numbers, each with noise that stands for augmentation."""

    metainfo = {}

    def __init__(self, pair=False):
        self.pair = pair

    def __len__(self):
        return 10

    def __getitem__(self, index):
        sample = dict(x=torch.tensor([index + np.random.rand()]).float())
        if self.pair:
            sample['partner'] = torch.rand(1)
        return sample


class Line(BaseModel):

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.batches = []

    def forward(self, x, partner=None, mode='loss'):
        self.batches.append((len(x), partner is not None))
        loss = (self.layer(torch.stack(list(x))) - 1).square().mean()
        return dict(loss=loss + torch.rand(()) * 1e-3 * self.layer.bias.sum())


@pytest.fixture(autouse=True)
def register():
    DATASETS.register_module(name='NoisyData', module=NoisyData)
    MODELS.register_module(name='Line', module=Line)
    yield
    DATASETS.module_dict.pop('NoisyData')
    MODELS.module_dict.pop('Line')


def loader(batch_size, **dataset):
    return dict(
        batch_size=batch_size,
        num_workers=0,
        drop_last=True,
        sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dict(type='NoisyData', **dataset))


def run(work_dir,
        max_epochs=4,
        warmup_epochs=2,
        resume=False,
        hooks=(),
        warmup_batch=2):
    torch.manual_seed(0)
    runner = Runner(
        model=dict(type='Line'),
        work_dir=str(work_dir),
        train_dataloader=loader(5, pair=True),
        train_cfg=dict(
            type='WarmupTrainLoop',
            warmup_epochs=warmup_epochs,
            max_epochs=max_epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
        param_scheduler=dict(type='PolyLR', end=20, by_epoch=False),
        default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
        custom_hooks=[dict(type='EpochSeedHook'), *hooks],
        randomness=dict(seed=3),
        resume=resume,
        default_scope='mmktse',
        cfg=dict(warmup_dataloader=loader(warmup_batch)),
        experiment_name='test')
    runner.train()
    return runner


def weights(runner):
    return torch.cat([p.flatten() for p in runner.model.parameters()])


def test_two_phases_in_one_run(tmp_path):
    runner = run(tmp_path)
    assert runner.model.batches == [(2, False)] * 10 + [(5, True)] * 4
    assert runner.max_iters == runner.iter == 14
    lr = runner.param_schedulers[0]._last_value[0]
    assert lr == pytest.approx(0.01 * (1 - 14 / 19))


@pytest.mark.parametrize('stop', [1, 3])
def test_resume_in_either_phase_is_exact(tmp_path, stop):
    whole = run(tmp_path / 'whole')

    class Stop(Hook):

        def before_train_epoch(self, runner):
            if runner.epoch == stop:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / 'part', hooks=[Stop()])
    again = run(tmp_path / 'part', resume=True)
    assert again.iter == 14
    assert torch.equal(weights(again), weights(whole))


def test_bad_warmup(tmp_path):
    with pytest.raises(ValueError, match='warmup_epochs is 5'):
        run(tmp_path, warmup_epochs=5)


def test_too_few_images_for_a_batch(tmp_path):
    with pytest.raises(
            ValueError, match='10 images do not fill a batch of 16'):
        run(tmp_path, warmup_batch=16)
