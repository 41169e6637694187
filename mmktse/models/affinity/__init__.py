# Copyright (c) mmktse authors. All rights reserved.
from .irn import IRN

__all__ = ['IRN']
