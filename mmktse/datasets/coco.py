# Copyright (c) mmktse authors. All rights reserved.
from mmktse.registry import DATASETS
from mmktse.seeds.label_io import color_map
from .image_level import ImageLevelDataset

# In the order of the ids in the COCO files, which leave gaps up to 90.
COCO_CLASSES = ('person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus',
                'train', 'truck', 'boat', 'traffic light', 'fire hydrant',
                'stop sign', 'parking meter', 'bench', 'bird', 'cat', 'dog',
                'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra',
                'giraffe', 'backpack', 'umbrella', 'handbag', 'tie',
                'suitcase', 'frisbee', 'skis', 'snowboard', 'sports ball',
                'kite', 'baseball bat', 'baseball glove', 'skateboard',
                'surfboard', 'tennis racket', 'bottle', 'wine glass', 'cup',
                'fork', 'knife', 'spoon', 'bowl', 'banana', 'apple',
                'sandwich', 'orange', 'broccoli', 'carrot', 'hot dog', 'pizza',
                'donut', 'cake', 'chair', 'couch', 'potted plant', 'bed',
                'dining table', 'toilet', 'tv', 'laptop', 'mouse', 'remote',
                'keyboard', 'cell phone', 'microwave', 'oven', 'toaster',
                'sink', 'refrigerator', 'book', 'clock', 'vase', 'scissors',
                'teddy bear', 'hair drier', 'toothbrush')


@DATASETS.register_module()
class COCOImageLevelDataset(ImageLevelDataset):
    """MS COCO in its standard folders, 80 classes.

    Images without any object are left out. The label maps are made by
    ``tools/dataset_converters/coco_to_labels.py``.

    Args:
        data_root (str): Folder of ``annotations`` and ``train2014``.
        ann_file (str): Defaults to 'annotations/instances_train2014.json'.
        data_prefix (dict): Defaults to 'train2014' for images and
            'masks/train2014' for label maps.
        **kwargs: Arguments of :class:`ImageLevelDataset`.
    """

    METAINFO = dict(
        classes=COCO_CLASSES,
        palette=color_map()[:len(COCO_CLASSES) + 1].tolist())

    def __init__(self,
                 data_root: str = 'data/coco',
                 ann_file: str = 'annotations/instances_train2014.json',
                 data_prefix: dict = dict(
                     img_path='train2014', seg_map_path='masks/train2014'),
                 **kwargs) -> None:
        super().__init__(
            data_root, ann_file, data_prefix=data_prefix, **kwargs)
