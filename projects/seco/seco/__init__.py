# Copyright (c) mmktse authors. All rights reserved.
from .backbone import SeCoViT
from .bilateral_filter import bilateral_filter
from .cam_labels import (PseudoMaskLabeler, banded_label, inside_boxes,
                         token_label)
from .data_preprocessor import ViewsDataPreprocessor
from .decomposition import ImageDecomposition
from .heads import GMPHead
from .losses import DenseEnergyLoss, LIGLoss, LILLoss, PTCLoss
from .memory import KeyQueue, Prototypes
from .multi_scale_cam import multi_scale_cam
from .optim import WarmupPolyLR
from .projector import SeCoProjector
from .schedule import Schedule
from .seco_segmentor import SeCo, SeCoSeeds
from .seg_tta import FlipMaxSegTTAModel
from .transforms import PackViews, RandomRescale

__all__ = [
    'DenseEnergyLoss', 'FlipMaxSegTTAModel', 'GMPHead', 'ImageDecomposition',
    'KeyQueue', 'LIGLoss', 'LILLoss', 'PTCLoss', 'PackViews', 'Prototypes',
    'PseudoMaskLabeler', 'RandomRescale', 'Schedule', 'SeCo', 'SeCoProjector',
    'SeCoSeeds', 'SeCoViT', 'ViewsDataPreprocessor', 'WarmupPolyLR',
    'banded_label', 'bilateral_filter', 'inside_boxes', 'multi_scale_cam',
    'token_label'
]
