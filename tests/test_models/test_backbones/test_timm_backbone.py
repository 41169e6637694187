# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.registry import MODELS

pytest.importorskip('timm')


def _backbone(type='mmktse.TIMMBackbone', **kwargs):
    return MODELS.build(
        dict(
            type=type,
            model_name='tf_efficientnet_lite0',
            output_stride=16,
            **kwargs))


def _statistics(backbone):
    return torch.cat([
        buffer for name, buffer in backbone.named_buffers() if 'mean' in name
    ])


@pytest.mark.parametrize('norm_eval', [True, False])
def test_norm_eval_freezes_only_the_statistics(norm_eval):
    torch.manual_seed(0)
    backbone = _backbone(norm_eval=norm_eval)
    backbone.train()
    before = _statistics(backbone).clone()
    feature, = backbone(torch.randn(2, 3, 64, 64))
    assert feature.shape == (2, 1280, 4, 4)
    feature.mean().backward()
    assert torch.equal(before, _statistics(backbone)) is norm_eval
    assert backbone.timm_model.bn1.weight.grad is not None


def test_train_and_eval_return_the_module():
    backbone = _backbone(norm_eval=True)
    assert backbone.train() is backbone
    assert backbone.training and not backbone.timm_model.bn1.training
    assert backbone.timm_model.conv_stem.training
    assert backbone.eval() is backbone


def test_memory_layout_changes_no_number():
    x = torch.randn(1, 3, 64, 64)
    slow, fast = _backbone(type='mmpretrain.TIMMBackbone'), _backbone()
    slow.eval(), fast.eval()
    fast.load_state_dict(slow.state_dict())
    with torch.no_grad():
        expected, feature = slow(x)[0], fast(x)[0]
    assert feature.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(feature, expected, rtol=1e-3, atol=1e-4)
