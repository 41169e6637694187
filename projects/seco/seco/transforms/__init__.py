# Copyright (c) mmktse authors. All rights reserved.
from .pack_views import PackViews
from .random_rescale import RandomRescale

__all__ = ['PackViews', 'RandomRescale']
