# Copyright (c) mmktse authors. All rights reserved.
from .warmup_train_loop import WarmupTrainLoop

__all__ = ['WarmupTrainLoop']
