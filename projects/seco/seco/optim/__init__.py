# Copyright (c) mmktse authors. All rights reserved.
from .warmup_poly_lr import WarmupPolyLR

__all__ = ['WarmupPolyLR']
