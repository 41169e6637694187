# Copyright (c) mmktse authors. All rights reserved.
from .timm_backbone import TIMMBackbone

__all__ = ['TIMMBackbone']
