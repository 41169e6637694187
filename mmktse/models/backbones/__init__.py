# Copyright (c) mmktse authors. All rights reserved.
from .resnet38d import ResNet38d
from .timm_backbone import TIMMBackbone
from .vgg import VGG16LargeFOV

__all__ = ['ResNet38d', 'TIMMBackbone', 'VGG16LargeFOV']
