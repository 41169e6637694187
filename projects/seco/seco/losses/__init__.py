# Copyright (c) mmktse authors. All rights reserved.
from .energy_loss import DenseEnergyLoss
from .lig_loss import LIGLoss
from .lil_loss import LILLoss
from .ptc_loss import PTCLoss

__all__ = ['DenseEnergyLoss', 'LIGLoss', 'LILLoss', 'PTCLoss']
