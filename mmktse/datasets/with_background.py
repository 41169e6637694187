# Copyright (c) mmktse authors. All rights reserved.
from typing import Union

from mmengine.dataset import BaseDataset, RepeatDataset

from mmktse.registry import DATASETS


@DATASETS.register_module()
class WithBackground(RepeatDataset):
    """Image-level data for a network that segments at once.

    The samples are those of the data set; the classes of ``metainfo`` begin
    with the background, as segmentation networks count them. Checkpoints of
    the network then carry the names of what it predicts.

    Args:
        dataset (dict | BaseDataset): Image-level data set, whose classes do
            not hold the background.
        lazy_init (bool): Whether to put off reading. Defaults to False.
    """

    def __init__(self,
                 dataset: Union[dict, BaseDataset],
                 lazy_init: bool = False) -> None:
        super().__init__(dataset, times=1, lazy_init=lazy_init)
        classes = self._metainfo['classes']
        self._metainfo['classes'] = ('background', *classes)
