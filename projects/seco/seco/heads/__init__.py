# Copyright (c) mmktse authors. All rights reserved.
from .gmp_head import GMPHead

__all__ = ['GMPHead']
