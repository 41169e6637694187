# Copyright (c) mmktse authors. All rights reserved.
from .floored_poly_lr import FlooredPolyLR

__all__ = ['FlooredPolyLR']
