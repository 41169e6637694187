# Copyright (c) mmktse authors. All rights reserved.
from .area_loss import AreaLoss
from .ascent_guard_hook import AscentGuardHook
from .deform_sampler import DeformSampler
from .esol_classifier import ESOL
from .esol_head import ESOLHead
from .feature_clip import FeatureClip
from .hold_offsets_hook import HoldOffsetsHook
from .offset_stats_hook import OffsetStatsHook
from .stoppable_train_loop import StoppableTrainLoop

__all__ = [
    'ESOL', 'ESOLHead', 'AreaLoss', 'AscentGuardHook', 'DeformSampler',
    'FeatureClip', 'HoldOffsetsHook', 'OffsetStatsHook', 'StoppableTrainLoop'
]
