# Copyright (c) mmktse authors. All rights reserved.
from .label_evaluation import evaluate_labels
from .seed_metric import SeedMetric, evaluate_seeds

__all__ = ['SeedMetric', 'evaluate_labels', 'evaluate_seeds']
