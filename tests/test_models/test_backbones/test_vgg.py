# Copyright (c) mmktse authors. All rights reserved.
import torch
from torchvision.models import vgg16

from mmktse.registry import MODELS


def build(**kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(type='VGG16LargeFOV', **kwargs))


def test_stride_and_field_of_view():
    net = build(init_cfg=None).eval()
    out, = net(torch.rand(1, 3, 65, 80))
    assert out.shape == (1, 1024, 9, 10) and out.min() >= 0
    # fc6 looks 12 positions far.
    spot = torch.zeros(1, 512, 27, 27)
    spot[..., 13, 13] = 1
    seen = (net.fc6(spot) - net.fc6(0 * spot)).abs().sum(1).nonzero()
    assert set(seen[:, 1].tolist()) == set(seen[:, 2].tolist()) == {1, 13, 25}


def test_names_are_those_of_torchvision():
    want = {
        name: value.shape
        for name, value in vgg16(init_weights=False).state_dict().items()
        if name.startswith('features')
    }
    got = {
        name: value.shape
        for name, value in build().state_dict().items()
        if name.startswith('features')
    }
    assert got == want


def test_frozen_stages():
    frozen = [
        name for name, p in build().named_parameters() if not p.requires_grad
    ]
    assert len(frozen) == 8  # two blocks of two convolutions with biases
    assert all(p.requires_grad for p in build(frozen_stages=0).parameters())


def test_dropout_in_training_only():
    net, x = build(), torch.rand(1, 3, 32, 32)
    net.init_weights()
    assert not torch.equal(net.train()(x)[0], net(x)[0])
    assert torch.equal(net.eval()(x)[0], net(x)[0])
