# Copyright (c) mmktse authors. All rights reserved.
from .cam_head import CAMHead
from .gpp_head import GPPHead

__all__ = ['CAMHead', 'GPPHead']
