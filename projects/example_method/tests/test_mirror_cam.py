# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmpretrain.structures import DataSample
from torch import nn

from mmktse.models import CAMClassifier
from mmktse.registry import MODELS
from projects.example_method.example_method import MirrorCAM


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='MirrorCAM',
            backbone=dict(type='mmpretrain.MobileNetV2', widen_factor=.1),
            head=dict(type='CAMHead', num_classes=3, in_channels=4),
            mirror=dict(type='MirrorLoss', loss_weight=.5)))
    assert isinstance(model, MirrorCAM)
    return model


def test_a_network_that_sees_no_sides_has_no_mirror_loss(model):
    inputs = torch.rand(2, 3, 8, 8)
    samples = [DataSample().set_gt_label(label) for label in ([0], [1, 2])]
    model.backbone = nn.Conv2d(3, 4, 1)
    assert model(inputs, samples, mode='loss')['loss_mirror'] < 1e-6
    model.backbone = nn.Conv2d(3, 4, 3, padding=1)
    losses = model(inputs, samples, mode='loss')
    assert losses['loss_mirror'] > 1e-3
    # All else is that of the baseline.
    plain = CAMClassifier.loss(model, inputs, samples)
    assert set(losses) == {*plain, 'loss_mirror'}
    for name, value in plain.items():
        torch.testing.assert_close(losses[name], value)
    model.mirror.loss_weight = 0.
    assert model(inputs, samples, mode='loss')['loss_mirror'] == 0
