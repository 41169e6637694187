# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import nn

from mmktse.registry import MODELS
from projects.esol.esol import ESOLHead


class TinyBackbone(BaseModule):
    """Eight features at stride 4, not negative, behind a batch norm."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=4, padding=1)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x):
        return (self.norm(self.conv(x)).relu(), )


@pytest.fixture(autouse=True)
def tiny_backbone():
    MODELS.register_module(name='TinyBackbone', module=TinyBackbone)
    yield
    MODELS.module_dict.pop('TinyBackbone')


@pytest.fixture
def head():
    """A head for 8 features and 3 classes whose kernels are trained."""

    def build(stage, **kwargs):
        head = ESOLHead(3, 8, stage, **kwargs)
        head.init_weights()
        for name in ('expand', 'shrink')[:1 + (stage == 'shrink')]:
            kernel = getattr(head, name).kernel
            nn.init.normal_(kernel.weight, std=.3)
        nn.init.normal_(head.classifier.weight, std=.5)
        return head

    return build


@pytest.fixture
def model_cfg():
    """Config of a tiny network for 3 classes."""

    def build(stage, area=None, **kwargs):
        return dict(
            type='ESOL',
            data_preprocessor=dict(mean=[127.] * 3, std=[64.] * 3),
            backbone=dict(type='TinyBackbone'),
            head=dict(
                type='ESOLHead',
                num_classes=3,
                in_channels=8,
                stage=stage,
                **kwargs),
            area=area)

    return build


@pytest.fixture
def batch():
    """Two images of uint8 with their labels."""
    return dict(
        inputs=[
            torch.randint(0, 256, (3, 32, 40), dtype=torch.uint8)
            for _ in range(2)
        ],
        data_samples=[
            DataSample().set_gt_label(label) for label in ([0], [1, 2])
        ])
