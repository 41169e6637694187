# Copyright (c) mmktse authors. All rights reserved.
from .mirror_cam import MirrorCAM
from .mirror_loss import MirrorLoss

__all__ = ['MirrorCAM', 'MirrorLoss']
