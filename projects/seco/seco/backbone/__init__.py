# Copyright (c) mmktse authors. All rights reserved.
from .seco_vit import SeCoViT

__all__ = ['SeCoViT']
