# Copyright (c) mmktse authors. All rights reserved.
from .cam_overlay import overlay_cam, overlay_scores, save_cam_page
from .label_gallery import save_label_gallery
from .report import save_report
from .run_source import RunSource, image_iou, select_samples
from .summary import save_summary
from .threshold_curve import load_curve, save_threshold_curve
from .training_curve import save_training_curves

__all__ = [
    'RunSource', 'image_iou', 'load_curve', 'overlay_cam', 'overlay_scores',
    'save_cam_page', 'save_label_gallery', 'save_report', 'save_summary',
    'save_threshold_curve', 'save_training_curves', 'select_samples'
]
