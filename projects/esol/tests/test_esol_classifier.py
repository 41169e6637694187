# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import build_optim_wrapper
from torch import distributed

from mmktse.registry import MODELS

OPTIM = dict(optimizer=dict(type='SGD', lr=.1, weight_decay=.1))
# What each stage trains, with its offsets at zero and afterwards.
TRAINED = dict(
    warm=[{'head.expand.kernel', 'head.classifier', 'backbone'}] * 2,
    expand=[{'head.classifier'}, {'head.expand.offset'}],
    shrink=[{'head.shrink.kernel', 'head.classifier'},
            {'head.shrink.offset', 'head.classifier'}])


@pytest.fixture
def process_group():
    """This process as a group of its own."""
    distributed.init_process_group(
        'gloo', store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.fixture
def model(model_cfg):

    def build(stage, **kwargs):
        model = MODELS.build(model_cfg(stage, **kwargs))
        model.init_weights()
        # Statistics that a forward in training mode would change.
        model.backbone.norm.running_mean.normal_()
        return model.train()

    return build


def state(model):
    return {k: v.clone() for k, v in model.state_dict().items()}


def assert_moved(model, before, parts):
    """Parts have changed; all else, buffers included, is the same bits."""
    for name, value in model.state_dict().items():
        trained = name.startswith(tuple(parts)) and not any(
            word in name for word in ('running', 'num_batches'))
        assert torch.equal(value, before[name]) != trained, name


@pytest.mark.parametrize('stage', TRAINED)
def test_frozen_parts_are_equal_to_the_bit(model, batch, stage):
    model = model(stage)
    optim_wrapper = build_optim_wrapper(model, OPTIM)
    for held in (True, False):
        model.head.hold(held)
        before = state(model)
        for _ in range(3):
            model.train_step(batch, optim_wrapper)
            model.train()
        assert_moved(model, before, TRAINED[stage][not held])


@pytest.mark.parametrize('stage', ['expand', 'shrink'])
def test_the_same_in_distributed_training(model, batch, stage, process_group):
    model = model(stage)
    wrapped = MMDistributedDataParallel(model, find_unused_parameters=True)
    optim_wrapper = build_optim_wrapper(model, OPTIM)
    for held in (True, False):
        model.head.hold(held)
        before = state(model)
        for _ in range(2):
            wrapped.train_step(batch, optim_wrapper)
        assert_moved(model, before, TRAINED[stage][not held])


@pytest.mark.parametrize('stage', TRAINED)
def test_backbone_is_in_eval_mode_once_it_is_fixed(model, stage):
    model = model(stage)
    assert not model.backbone.norm.training
    assert model.backbone.training == (stage == 'warm') == all(
        p.requires_grad for p in model.backbone.parameters())
    assert model.head.training


def test_area_while_the_offsets_are_trained(model, batch):
    model = model('shrink', area=dict(type='AreaLoss', loss_weight=.5))
    data = model.data_preprocessor(batch, training=True)
    for held in (True, False):
        model.head.hold(held)
        losses = model(**data, mode='loss')
        assert ('loss_area' in losses) != held
    targets = model.targets(batch['data_samples'], losses['loss_area'])
    area = model.area(model(data['inputs']), targets)
    assert torch.equal(losses['loss_area'], area) and area > 0


def test_predict(model, batch):
    model = model('shrink').eval()
    data = model.data_preprocessor(batch)
    for sample in data['data_samples']:
        sample.set_metainfo(dict(ori_shape=(32, 40)))
    first, second = model(**data, mode='predict')
    assert first.cam.shape == (1, 32, 40) and second.cam.shape == (2, 32, 40)
    assert 0 <= second.cam.min() and second.cam.max() < 1
