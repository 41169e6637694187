# Copyright (c) mmktse authors. All rights reserved.
"""Weights of other packages under the names of our networks.

The functions rename state dicts; the initialisers let a config write
``init_cfg=dict(type='mmktse.EfficientNetLite0Pretrained')`` in a backbone.
Names are mapped by rule and never by order, and every rule is checked: a
tensor without a rule, or a backbone parameter without a tensor, is an error.
"""
from .common import load_weights
from .deeplab_coco import convert_deeplab_coco_resnet101
from .efficientnet_lite0 import (EfficientNetLite0Pretrained,
                                 convert_efficientnet_lite0,
                                 efficientnet_lite0_file)
from .mobilenet_v2 import (TorchvisionMobileNetV2Pretrained,
                           convert_torchvision_mobilenet_v2)
from .mxnet_params import load_mxnet_params
from .resnet38d import convert_ktse_resnet38d, convert_mxnet_resnet38d
from .timm_vit import convert_timm_vit
from .vgg16 import TorchvisionVGG16Pretrained, convert_torchvision_vgg16

__all__ = [
    'EfficientNetLite0Pretrained', 'TorchvisionMobileNetV2Pretrained',
    'TorchvisionVGG16Pretrained', 'convert_deeplab_coco_resnet101',
    'convert_efficientnet_lite0', 'convert_ktse_resnet38d',
    'convert_mxnet_resnet38d', 'convert_timm_vit',
    'convert_torchvision_mobilenet_v2', 'convert_torchvision_vgg16',
    'efficientnet_lite0_file', 'load_mxnet_params', 'load_weights'
]
