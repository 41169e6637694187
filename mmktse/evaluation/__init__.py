# Copyright (c) mmktse authors. All rights reserved.
from .label_evaluation import evaluate_labels
from .seed_metric import SeedMetric, count_seeds, evaluate_seeds
from .threshold_choice import choose_threshold, load_choice, overlap_note

__all__ = [
    'SeedMetric', 'choose_threshold', 'count_seeds', 'evaluate_labels',
    'evaluate_seeds', 'load_choice', 'overlap_note'
]
