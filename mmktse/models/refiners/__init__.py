# Copyright (c) mmktse authors. All rights reserved.
from .par import PAR

__all__ = ['PAR']
