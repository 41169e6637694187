# Copyright (c) mmktse authors. All rights reserved.
from .bilateral_filter import bilateral_filter
from .cam_labels import (PseudoMaskLabeler, banded_label, cam_label,
                         inside_boxes, token_label)
from .losses import DenseEnergyLoss, LIGLoss, LILLoss, PTCLoss
from .memory import KeyQueue, Prototypes
from .multi_scale_cam import multi_scale_cam
from .projector import SeCoProjector

__all__ = [
    'DenseEnergyLoss', 'KeyQueue', 'LIGLoss', 'LILLoss', 'PTCLoss',
    'Prototypes', 'PseudoMaskLabeler', 'SeCoProjector', 'banded_label',
    'bilateral_filter', 'cam_label', 'inside_boxes', 'multi_scale_cam',
    'token_label'
]
