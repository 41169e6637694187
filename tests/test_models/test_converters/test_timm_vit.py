# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.registry import MODELS

from mmktse.models.converters import convert_timm_vit

SIZES = dict(embed_dims=24, num_layers=3, num_heads=2, feedforward_channels=48)


@pytest.fixture
def source():
    """timm's network with weights that no two tensors share."""
    timm = pytest.importorskip('timm', reason='of the extra quickstart')
    model = timm.models.vision_transformer.VisionTransformer(
        img_size=32,
        embed_dim=24,
        depth=3,
        num_heads=2,
        mlp_ratio=2,
        num_classes=7)
    for value in model.state_dict().values():
        value.normal_(std=.2)
    return model.eval()


def test_names_give_the_same_function(source):
    target = MODELS.build(
        dict(
            type='mmpretrain.VisionTransformer',
            arch=SIZES,
            img_size=32,
            out_type='raw'))
    target.eval()  # gives nothing back
    target.load_state_dict(convert_timm_vit(source.state_dict()))
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(
            target(images)[0], source.forward_features(images))


def test_incomplete_and_other_networks_are_refused(source):
    state = source.state_dict()
    del state['blocks.1.mlp.fc2.bias']
    with pytest.raises(ValueError, match='first is "blocks.1.mlp.fc2.bias"'):
        convert_timm_vit(state)
    with pytest.raises(ValueError, match='"conv1.weight" is no parameter'):
        convert_timm_vit({'conv1.weight': torch.zeros(1)})
