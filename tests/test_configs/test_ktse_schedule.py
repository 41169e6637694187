# Copyright (c) mmktse authors. All rights reserved.
"""The schedule of the published run, as the config states it."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import PolyLR, build_optim_wrapper
from mmengine.runner import Runner
from torch.utils.data import Dataset

import mmktse.engine.hooks  # noqa: F401
from mmktse.registry import DATASETS

FOLDER = Path(__file__).parents[2] / 'configs' / 'ktse'


@pytest.fixture
def cfg():
    return Config.fromfile(FOLDER / 'ktse_resnet38d_voc.py')


class Weight(BaseModel):
    """One parameter."""

    def __init__(self, value):
        super().__init__()
        self.weight = torch.nn.Parameter(value)

    def forward(self, x):
        return self.weight


def scheduler_of(cfg, model, **changes):
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    settings = {
        k: v
        for k, v in dict(cfg.param_scheduler, **changes).items() if k != 'type'
    }
    return wrapper, PolyLR(wrapper, **settings)


@pytest.mark.parity
def test_golden_optimizer(cfg, parity):
    data = parity('schedule')
    wrapper, _ = scheduler_of(cfg, Weight(torch.zeros(1)))
    group, = wrapper.optimizer.param_groups
    for key in ('lr', 'momentum', 'weight_decay', 'dampening', 'nesterov'):
        assert group[key] == data[f'group_{key}'][0], key
    # All parameters are in the first group: the head has no rate of its own.
    assert data['group_tensors'].tolist()[1:] == [0, 0, 0]
    assert 'paramwise_cfg' not in cfg.optim_wrapper


@pytest.mark.parity
def test_golden_learning_rates(cfg, parity):
    data = parity('schedule')
    wrapper, scheduler = scheduler_of(cfg, Weight(torch.zeros(1)))
    assert cfg.param_scheduler.end == int(data['max_step']) + 1
    want = dict(zip(data['steps'].tolist(), data['lr'].tolist()))
    for step in range(max(want) + 1):
        if step in want:
            rate, = wrapper.get_lr()['lr']
            assert rate == pytest.approx(want[step], rel=1e-12), step
        scheduler.step()


@pytest.mark.parity
def test_golden_trajectory(cfg, parity):
    data = parity('schedule')
    model = Weight(data['traj_w0'].clone())
    wrapper, scheduler = scheduler_of(
        cfg, model, end=int(data['traj_max_step']) + 1)
    for grad, rate, weight in zip(data['traj_grad'], data['traj_lr'],
                                  data['traj_w']):
        assert wrapper.get_lr()['lr'][0] == pytest.approx(float(rate), 1e-12)
        model.weight.grad = grad.clone()
        wrapper.step()
        scheduler.step()
        torch.testing.assert_close(
            model.weight.data, weight, rtol=1e-12, atol=1e-14)


class ManyImages(Dataset):
    """As many entries as VOC trainaug has images; nothing is loaded."""

    metainfo = {}

    def __init__(self, **kwargs):
        pass

    def __len__(self):
        return 10582


@pytest.fixture
def many_images():
    DATASETS.register_module(name='ManyImages', module=ManyImages)
    yield
    DATASETS.module_dict.pop('ManyImages')


@pytest.mark.parametrize('epoch, iteration, batch_size', [
    (0, 0, 8),
    (9, 9 * 1322, 8),
    (10, 13220, 16),
    (39, 33050 - 661, 16),
])
def test_steps_and_batches_of_the_published_run(cfg, many_images, tmp_path,
                                                epoch, iteration, batch_size):
    for name in ('warmup_dataloader', 'train_dataloader'):
        cfg[name].dataset = dict(type='ManyImages')
        cfg[name].num_workers = 0
    model = Weight(torch.zeros(1))
    runner = Runner(
        model=model,
        work_dir=str(tmp_path),
        train_dataloader=cfg.train_dataloader,
        train_cfg=cfg.train_cfg,
        optim_wrapper=cfg.optim_wrapper,
        param_scheduler=cfg.param_scheduler,
        default_scope='mmktse',
        cfg=cfg,
        experiment_name='schedule')
    loop = runner.train_loop
    loop = loop if not isinstance(loop,
                                  dict) else runner.build_train_loop(loop)
    assert loop.max_iters == 33050 and loop.max_epochs == 40
    loop._epoch, loop._iter = epoch, iteration
    loop._choose_dataloader()
    assert loop.dataloader.batch_size == batch_size
    epochs = [loop.warmup_dataloader] * 10 + [loop.main_dataloader] * 30
    assert sum(map(len, epochs[:epoch])) == iteration


def test_modern_config_changes_optimizer_and_labels_alone(cfg):
    modern = Config.fromfile(FOLDER / 'ktse_resnet38d_voc_modern.py')
    assert modern.optim_wrapper.type == 'AmpOptimWrapper'
    assert modern.optim_wrapper.optimizer.momentum == 0.9
    assert modern.param_scheduler.end == 33050 + 1
    labeler = modern.model.labeler
    assert not labeler.keep_empty and not labeler.truncate_image
    # The losses stay.
    for name in ('sie', 'ssr', 'mga', 'num_joint', 'head', 'backbone'):
        assert modern.model[name] == cfg.model[name]
    assert modern.train_cfg == cfg.train_cfg
