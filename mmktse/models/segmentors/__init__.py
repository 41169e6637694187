# Copyright (c) mmktse authors. All rights reserved.
from .crf_seg_tta import CRFSegTTAModel

__all__ = ['CRFSegTTAModel']
