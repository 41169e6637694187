# Copyright (c) mmktse authors. All rights reserved.
from .coco import COCOImageLevelDataset
from .image_folder import ImageFolderDataset
from .image_level import ImageLevelDataset
from .pseudo_label_seg import PseudoLabelSegDataset
from .same_class_pair import SameClassPairDataset
from .seg_list import SegListDataset
from .transforms import *  # noqa: F401,F403
from .voc import VOCImageLevelDataset
from .with_background import WithBackground
from .worker import seed_worker

__all__ = [
    'COCOImageLevelDataset', 'ImageFolderDataset', 'ImageLevelDataset',
    'PseudoLabelSegDataset', 'SameClassPairDataset', 'SegListDataset',
    'VOCImageLevelDataset', 'WithBackground', 'seed_worker'
]
