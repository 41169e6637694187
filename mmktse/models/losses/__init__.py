# Copyright (c) mmktse authors. All rights reserved.
from .affinity_loss import AffinityLoss
from .balanced_seg_loss import BalancedSegLoss
from .co_training_loss import CoTrainingLoss
from .mga_loss import MGALoss
from .sie_loss import SIELoss
from .ssr_loss import SSRLoss

__all__ = [
    'AffinityLoss', 'BalancedSegLoss', 'CoTrainingLoss', 'MGALoss', 'SIELoss',
    'SSRLoss'
]
