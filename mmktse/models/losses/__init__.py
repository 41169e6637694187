# Copyright (c) mmktse authors. All rights reserved.
from .affinity_loss import AffinityLoss
from .co_training_loss import CoTrainingLoss
from .mga_loss import MGALoss
from .sie_loss import SIELoss
from .ssr_loss import SSRLoss

__all__ = ['AffinityLoss', 'CoTrainingLoss', 'MGALoss', 'SIELoss', 'SSRLoss']
