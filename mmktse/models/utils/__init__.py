# Copyright (c) mmktse authors. All rights reserved.
from .cam import (erasing_norm, foreground_cam, label_norm, merge_pairs,
                  merge_views, resize)
from .online_label import OnlineLabeler
from .par import PAR
from .reduction import masked_mean

__all__ = [
    'OnlineLabeler', 'PAR', 'erasing_norm', 'foreground_cam', 'label_norm',
    'masked_mean', 'merge_pairs', 'merge_views', 'resize'
]
