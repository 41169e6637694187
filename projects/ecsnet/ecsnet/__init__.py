# Copyright (c) mmktse authors. All rights reserved.
from .ecs_head import ECSHead, SegFromCAMHead
from .ecsnet import ECSNet
from .image_eraser import ImageEraser
from .label_selector import LabelSelector
from .label_source_hook import LabelSourceHook

__all__ = [
    'ECSHead', 'ECSNet', 'ImageEraser', 'LabelSelector', 'LabelSourceHook',
    'SegFromCAMHead'
]
