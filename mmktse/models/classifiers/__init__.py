# Copyright (c) mmktse authors. All rights reserved.
from .cam_classifier import CAMClassifier
from .cam_data_preprocessor import CAMDataPreprocessor
from .ktse import KTSE

__all__ = ['CAMClassifier', 'CAMDataPreprocessor', 'KTSE']
