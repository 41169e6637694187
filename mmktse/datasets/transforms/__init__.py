# Copyright (c) mmktse authors. All rights reserved.
from .crop import RandomCropOrPad
from .loading import LoadImage
from .resize import MultiScaleViews, RandomResizeLong

__all__ = [
    'LoadImage', 'MultiScaleViews', 'RandomCropOrPad', 'RandomResizeLong'
]
