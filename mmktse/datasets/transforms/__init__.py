# Copyright (c) mmktse authors. All rights reserved.
from .confidence import LoadConfidence, PackConfidentSegInputs
from .crop import RandomCropOrPad
from .loading import LoadImage, read_image
from .mask import LoadMask
from .resize import LimitLong, MultiScaleViews, RandomResizeLong
from .seg_crop import RandomResizedSegCrop

__all__ = [
    'LimitLong', 'LoadConfidence', 'LoadImage', 'LoadMask', 'MultiScaleViews',
    'PackConfidentSegInputs', 'RandomCropOrPad', 'RandomResizeLong',
    'RandomResizedSegCrop', 'read_image'
]
