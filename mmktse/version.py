# Copyright (c) mmktse authors. All rights reserved.
__version__ = '0.1.0'
