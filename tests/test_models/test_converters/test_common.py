# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmengine.registry import MODELS

from mmktse.models.converters import (convert_deeplab_coco_resnet101,
                                      convert_efficientnet_lite0,
                                      convert_ktse_resnet38d,
                                      convert_mxnet_resnet38d,
                                      convert_torchvision_mobilenet_v2,
                                      convert_torchvision_vgg16, load_weights)


def test_state_dict_alone_or_in_a_checkpoint(tmp_path):
    path = str(tmp_path / 'weights.pth')
    for content in ({
            'a': torch.ones(2)
    }, {
            'state_dict': {
                'a': torch.ones(2)
            },
            'meta': {}
    }):
        torch.save(content, path)
        state = load_weights(path)
        assert list(state) == ['a'] and torch.equal(state['a'], torch.ones(2))


def test_absent_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='init_cfg=None'):
        load_weights(str(tmp_path / 'absent.pth'))


class Malicious:

    def __reduce__(self):
        return print, ('objects of a file must not be run', )


@pytest.mark.parametrize(
    'content', [torch.ones(2), [torch.ones(2)], {
        'a': Malicious()
    }],
    ids=['tensor', 'list', 'object'])
def test_file_of_something_else(tmp_path, capsys, content):
    path = tmp_path / 'other.pth'
    torch.save(content, path)
    with pytest.raises(ValueError, match='other.pth.*give the right file'):
        load_weights(str(path))
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('size', [0, 1, 100, 2000, -100, -1])
def test_damaged_file(tmp_path, size):
    path = tmp_path / 'damaged.pth'
    torch.save({'a': torch.ones(1000)}, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match='damaged.pth.*fetch it again'):
        load_weights(str(path))


@pytest.mark.parametrize('name', [
    'layer1.0.conv1.weight', '_blocks.16._bn0.weight', 'features.19.0.weight',
    'features.3.conv.9.weight', 'features.1.weight',
    'b2_3.conv_branch2a.weight', 'gconv4.att_p.0.weight',
    'arg:res2a_branch2b2_weight', 'arg:res2a_branch2a_gamma',
    'arg:bn7_moving_mean'
])
def test_names_of_other_networks_are_refused(name):
    for convert in (convert_deeplab_coco_resnet101, convert_efficientnet_lite0,
                    convert_ktse_resnet38d, convert_torchvision_mobilenet_v2,
                    convert_torchvision_vgg16):
        with pytest.raises(ValueError, match=f'"{name}".*cannot be converted'):
            convert({name: torch.zeros(1)})
    with pytest.raises(ValueError, match=f'"{name}".*cannot be converted'):
        convert_mxnet_resnet38d({name: np.zeros(1)})


def test_incomplete_weights_are_refused(tmp_path):
    incomplete = tmp_path / 'incomplete.pth'
    torch.save({'features.0.0.weight': torch.zeros(32, 3, 3, 3)}, incomplete)
    backbone = MODELS.build(
        dict(
            type='mmseg.MobileNetV2',
            init_cfg=dict(
                type='mmktse.TorchvisionMobileNetV2Pretrained',
                checkpoint=str(incomplete))))
    with pytest.raises(ValueError, match='another architecture'):
        backbone.init_weights()
