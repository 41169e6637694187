# Copyright (c) mmktse authors. All rights reserved.
from .beco import BECO
from .crf_seg_tta import CRFSegTTAModel

__all__ = ['BECO', 'CRFSegTTAModel']
