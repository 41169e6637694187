# Copyright (c) mmktse authors. All rights reserved.
from .label_io import VOID, color_map, load_label_map, save_label_map
from .labels import make_label
from .seed_io import load_seed, save_seed

__all__ = [
    'VOID', 'color_map', 'load_label_map', 'load_seed', 'make_label',
    'save_label_map', 'save_seed'
]
