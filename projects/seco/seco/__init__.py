# Copyright (c) mmktse authors. All rights reserved.
from .backbone import SeCoViT
from .data_preprocessor import ViewsDataPreprocessor
from .heads import GMPHead
from .optim import WarmupPolyLR
from .seg_tta import FlipMaxSegTTAModel
from .transforms import PackViews, RandomRescale

__all__ = [
    'FlipMaxSegTTAModel', 'GMPHead', 'PackViews', 'RandomRescale', 'SeCoViT',
    'ViewsDataPreprocessor', 'WarmupPolyLR'
]
