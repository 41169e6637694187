# Copyright (c) mmktse authors. All rights reserved.
from .base import BaseRefiner
from .build import build_refiner, with_class
from .dense_crf import DenseCRFRefiner, LabelCRFRefiner
from .irn_refiner import IRNRefiner
from .par_refiner import PARRefiner

__all__ = [
    'BaseRefiner', 'DenseCRFRefiner', 'IRNRefiner', 'LabelCRFRefiner',
    'PARRefiner', 'build_refiner', 'with_class'
]
