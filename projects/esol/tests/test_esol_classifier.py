# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F
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


def test_present_classes_climb_and_the_rest_descends(model, batch,
                                                     process_group):
    """In distributed training, where a parameter is in two graphs."""
    model = model(
        'expand', present_only=True, co_trained=['kernel', 'classifier'])
    wrapped = MMDistributedDataParallel(model, find_unused_parameters=True)
    optim_wrapper = build_optim_wrapper(model, OPTIM)
    model.head.hold(True)
    assert 'loss_ascent' not in wrapped.train_step(batch, optim_wrapper)
    model.head.hold(False)
    before = state(model)
    data = model.data_preprocessor(batch, training=True)
    logits = model(data['inputs']).mean((2, 3))
    targets = model.targets(batch['data_samples'], logits)
    losses = F.binary_cross_entropy_with_logits(
        logits, targets, reduction='none')
    logs = wrapped.train_step(batch, optim_wrapper)
    torch.testing.assert_close(logs['loss_cls'], losses.mean())
    torch.testing.assert_close(logs['loss_ascent'],
                               losses[targets.bool()].mean())
    assert_moved(model, before, {'head.expand', 'head.classifier'})


@pytest.mark.parametrize('head, area', [
    (dict(clip=dict(dims=[1, 2, 3])), {}),
    (dict(mid_channels=4), {}),
    (dict(sampler=dict(groups=2)), {}),
    (dict(sampler=dict(dilation=2)), {}),
    (dict(sampler=dict(deform_groups=2)), {}),
    (dict(sampler=dict(kernel_size=5)), {}),
    (dict(mid_channels=4, sampler=dict(groups=4, max_offset=2.)), {}),
    ({}, dict(classes='all')),
    ({}, dict(activation='sigmoid')),
])
def test_options_in_all_stages(model, batch, head, area):
    """Each stage takes the weights of the one before, and steps."""
    weights = None
    mid, sampler = head.get('mid_channels', 8), head.get('sampler', {})
    size, groups = sampler.get('kernel_size', 3), sampler.get('groups', 1)
    count = 2 * size**2 * sampler.get('deform_groups', 1)
    for stage, parts in TRAINED.items():
        own = dict(type='AreaLoss', **area) if stage == 'shrink' else None
        network = model(stage, area=own, **head)
        expand = network.head.expand
        assert expand.kernel.weight.shape == (mid, 8 // groups, size, size)
        assert expand.offset.weight.shape == (count, 8, size, size)
        if weights:
            missing, foreign = network.load_state_dict(weights, strict=False)
            assert not foreign and all(
                key.startswith('head.shrink.') for key in missing)
        optim_wrapper = build_optim_wrapper(network, OPTIM)
        for held in (True, False):
            network.head.hold(held)
            before = state(network)
            logs = network.train_step(batch, optim_wrapper)
            assert all(value.isfinite() for value in logs.values())
            assert_moved(network, before, parts[not held])
        weights = network.state_dict()


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
