# Copyright (c) mmktse authors. All rights reserved.
from mmpretrain.datasets.categories import VOC2007_CATEGORIES as VOC_CLASSES

from mmktse.registry import DATASETS
from mmktse.seeds.label_io import color_map
from .image_level import ImageLevelDataset


@DATASETS.register_module()
class VOCImageLevelDataset(ImageLevelDataset):
    """PASCAL VOC 2012 in its standard folders.

    Labels come from the XML files, objects marked difficult included, as
    usual in weakly-supervised segmentation; a label file is faster.

    Args:
        data_root (str): Folder ``VOC2012`` of ``VOCdevkit``.
        ann_file (str): Defaults to 'Annotations'.
        id_file (str, optional): Defaults to the 1,464 images of
            'ImageSets/Segmentation/train.txt'.
        **kwargs: Arguments of :class:`ImageLevelDataset`.
    """

    METAINFO = dict(
        classes=VOC_CLASSES,
        palette=color_map()[:len(VOC_CLASSES) + 1].tolist())

    def __init__(self,
                 data_root: str = 'data/VOCdevkit/VOC2012',
                 ann_file: str = 'Annotations',
                 id_file: str = 'ImageSets/Segmentation/train.txt',
                 **kwargs) -> None:
        super().__init__(data_root, ann_file, id_file=id_file, **kwargs)
