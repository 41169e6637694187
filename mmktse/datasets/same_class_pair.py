# Copyright (c) mmktse authors. All rights reserved.
from typing import List, Union

import numpy as np
from mmengine.dataset import BaseDataset

from mmktse.registry import DATASETS


@DATASETS.register_module()
class SameClassPairDataset:
    """Gives each image a partner that shares a class with it.

    The class is drawn uniformly from those of the image (the anchor), the
    partner uniformly from all images with that class, the anchor included.
    Both go through the pipeline independently. Draws come from NumPy's
    global generator, which :func:`~mmktse.datasets.seed_worker` seeds.

    Args:
        dataset (dict | BaseDataset): Image-level data set whose pipeline
            packs ``inputs`` and ``data_samples``.
        lazy_init (bool): Whether to put off reading. Defaults to False.

    Raises:
        ValueError: If an image has no label.

    Example:
        >>> pairs = SameClassPairDataset(dict(type='ImageLevelDataset', ...))
        >>> sorted(pairs[0])
        ['data_samples', 'inputs', 'partner_data_samples', 'partner_inputs']
    """

    def __init__(self,
                 dataset: Union[dict, BaseDataset],
                 lazy_init: bool = False) -> None:
        self.dataset = (
            DATASETS.build(dataset) if isinstance(dataset, dict) else dataset)
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict:
        """Meta information of the wrapped data set."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Reads the data set and lists the images of each class."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        members: List[List[int]] = [[] for _ in self.metainfo['classes']]
        for index in range(len(self.dataset)):
            labels = self.dataset.get_cat_ids(index)
            if not labels:
                info = self.dataset.get_data_info(index)
                raise ValueError(f'Image {info["img_path"]} has no label, so '
                                 'it can have no partner: set '
                                 'require_labels=True to see all such ids.')
            for label in labels:
                members[label].append(index)
        self.members = [np.array(indices) for indices in members]
        self._fully_initialized = True

    def get_data_info(self, idx: int) -> dict:
        """Information of an anchor."""
        return self.dataset.get_data_info(idx)

    def get_cat_ids(self, idx: int) -> List[int]:
        """0-based classes of an anchor."""
        return self.dataset.get_cat_ids(idx)

    def draw_partner(self, idx: int) -> int:
        """Draws the index of a partner."""
        label = np.random.choice(self.get_cat_ids(idx))
        return int(np.random.choice(self.members[label]))

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, idx: int) -> dict:
        self.full_init()
        partner = self.dataset[self.draw_partner(idx)]
        return dict(
            self.dataset[idx], **{
                f'partner_{key}': value
                for key, value in partner.items()
            })
