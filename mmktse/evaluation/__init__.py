# Copyright (c) mmktse authors. All rights reserved.
from .crf_iou_metric import CRFIoUMetric
from .label_evaluation import evaluate_labels
from .prediction_writer import PredictionWriter, claim_folder, is_predicted
from .seed_metric import SeedMetric, count_seeds, evaluate_seeds
from .threshold_choice import choose_threshold, load_choice, overlap_note

__all__ = [
    'CRFIoUMetric', 'PredictionWriter', 'SeedMetric', 'choose_threshold',
    'claim_folder', 'count_seeds', 'evaluate_labels', 'evaluate_seeds',
    'is_predicted', 'load_choice', 'overlap_note'
]
