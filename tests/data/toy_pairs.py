# Copyright (c) mmktse authors. All rights reserved.
"""A KTSE training that has no chance in it, for runs in other processes."""
import json
import os

import torch
from mmengine.dataset import BaseDataset
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample

from mmktse.registry import DATASETS, HOOKS, MODELS

NUM_CLASSES = 3


@MODELS.register_module()
class ToyBackbone(BaseModule):
    """Stride 4, without a batch norm, whose batches processes do not share."""

    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.conv = torch.nn.Conv2d(3, 8, 8, 4, 2)

    def forward(self, x):
        return (self.conv(x).relu(), )


@DATASETS.register_module()
class ToyPairs(BaseDataset):
    """Images that depend on nothing but their index."""

    def __init__(self, num_images, pair):
        self.num_images, self.pair = num_images, pair
        super().__init__(serialize_data=False)

    def load_data_list(self):
        return [dict(index=i) for i in range(self.num_images)]

    def _image(self, index):
        generator = torch.Generator().manual_seed(index)
        image = torch.randint(0, 256, (3, 32, 32), generator=generator)
        return image.byte()

    def prepare_data(self, idx):
        # Unequal numbers of classes, so that the processes' shares differ.
        labels = [idx % NUM_CLASSES]
        if idx % 4 == 0:
            labels = [0, 1]
        sample = DataSample().set_gt_label(labels)
        data = dict(inputs=self._image(idx), data_samples=sample)
        if self.pair:
            data.update(
                partner_inputs=self._image(idx + 1000),
                partner_data_samples=DataSample().set_gt_label(labels[:1]))
        return data


@HOOKS.register_module()
class RecordLosses(Hook):
    """Appends the losses of every step to a file of the process."""

    def after_train_iter(self,
                         runner,
                         batch_idx,
                         data_batch=None,
                         outputs=None):
        path = os.path.join(runner.work_dir, f'losses_{get_rank()}.jsonl')
        with open(path, 'a') as file:
            json.dump({k: float(v) for k, v in outputs.items()}, file)
            file.write('\n')
