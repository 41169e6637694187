# Copyright (c) mmktse authors. All rights reserved.
from .epoch_seed_hook import EpochSeedHook
from .finite_step_hook import FiniteStepHook
from .fitting_checkpoint_hook import FittingCheckpointHook
from .online_label_hook import OnlineLabelHook
from .pseudo_label_hook import PseudoLabelHook

__all__ = [
    'EpochSeedHook', 'FiniteStepHook', 'FittingCheckpointHook',
    'OnlineLabelHook', 'PseudoLabelHook'
]
