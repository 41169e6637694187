# Copyright (c) mmktse authors. All rights reserved.
from .beco import BECO
from .seg_tta import MaxSegTTAModel, MeanSegTTAModel

__all__ = ['BECO', 'MaxSegTTAModel', 'MeanSegTTAModel']
