# Copyright (c) mmktse authors. All rights reserved.
from .epoch_seed_hook import EpochSeedHook
from .pseudo_label_hook import PseudoLabelHook

__all__ = ['EpochSeedHook', 'PseudoLabelHook']
