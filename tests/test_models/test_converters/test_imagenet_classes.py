# Copyright (c) mmktse authors. All rights reserved.
import os

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from mmktse.models.converters import (convert_efficientnet_lite0,
                                      convert_torchvision_mobilenet_v2,
                                      efficientnet_lite0_file, load_weights)

LITE0 = dict(
    type='mmktse.TIMMBackbone',
    model_name='tf_efficientnet_lite0',
    output_stride=16)
MOBILENET = dict(
    type='mmseg.MobileNetV2',
    strides=(1, 2, 2, 2, 1, 1, 1),
    dilations=(1, 1, 1, 1, 1, 1, 2),
    out_indices=(6, ),
    conv_cfg=dict(type='Conv2dAdaptivePadding'))


@pytest.mark.skipif(
    'MMKTSE_TEST_DATA' not in os.environ,
    reason='MMKTSE_TEST_DATA names no folder of real images')
@pytest.mark.parametrize('name', ['lite0', 'mobilenet'])
def test_imagenet_classes_of_real_photographs(name):
    """The converted network and its own classifier see cats and dogs."""
    mmcv = pytest.importorskip('mmcv')
    shared = os.environ['MMKTSE_TEST_DATA']
    data = os.path.join(shared, 'voc12_animals')
    if name == 'lite0':
        cfg = {
            **LITE0, 'init_cfg':
            dict(type='mmktse.EfficientNetLite0Pretrained')
        }
        state = convert_efficientnet_lite0(
            load_weights(efficientnet_lite0_file()))
        mean = 127
    else:
        path = os.path.join(shared, 'weights',
                            'mobilenet_v2_imagenet_fp16.pth')
        cfg = {
            **MOBILENET, 'type':
            'mmseg.MobileNetV2',
            'init_cfg':
            dict(
                type='mmktse.TorchvisionMobileNetV2Pretrained',
                checkpoint=path)
        }
        state = convert_torchvision_mobilenet_v2(load_weights(path))
        mean = 128
    backbone = MODELS.build(cfg)
    backbone.init_weights()
    backbone.eval()
    with open(os.path.join(data, 'classes.txt')) as file:
        classes = file.read().split()
    wanted = {
        str(classes.index('cat')): range(281, 286),
        str(classes.index('dog')): range(151, 269)
    }
    right = total = 0
    with open(os.path.join(data, 'ImageSets', 'train_labels.txt')) as file:
        lines = [line.split() for line in file if not line.startswith('#')]
    for number, expected in wanted.items():
        for img_id, _ in [x for x in lines if x[1:] == [number]][:8]:
            image = mmcv.imread(
                os.path.join(data, 'JPEGImages', img_id + '.jpg'),
                channel_order='rgb')
            image = mmcv.imresize(image, (224, 224))
            x = torch.tensor(image).float().permute(2, 0, 1)[None]
            x = (x - mean) / 128
            with torch.no_grad():
                feature = backbone(x)
                if isinstance(feature, tuple):
                    feature = feature[0]
                else:
                    feature = nn.functional.conv2d(feature,
                                                   state['conv2.conv.weight'])
                    feature = nn.functional.batch_norm(
                        feature,
                        *(state[f'conv2.bn.{x}']
                          for x in ('running_mean', 'running_var', 'weight',
                                    'bias'))).clamp(0, 6)
                scores = nn.functional.linear(
                    feature.mean((2, 3)), state['classifier.weight'],
                    state['classifier.bias'])
            right += scores.argmax().item() in expected
            total += 1
    assert right / total >= .6
