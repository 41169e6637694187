# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest
from PIL import Image

from mmktse.seeds import save_label_map, save_seed


class TinyDataset:
    """Three images of two classes; object c fills column c of the mask."""
    metainfo = dict(classes=('left', 'right'), palette=None)

    def __init__(self, root):
        self.samples = [
            dict(
                img_id=f'im{i}',
                img_path=str(root / f'im{i}.jpg'),
                seg_map_path=str(root / f'gt/im{i}.png'),
                gt_label=[0, 1]) for i in range(3)
        ]

    def __len__(self):
        return len(self.samples)

    def get_data_info(self, index):
        return self.samples[index]


@pytest.fixture
def dataset(tmp_path):
    """Images, truth, and a run whose label map of image i misses i rows."""
    tiny = TinyDataset(tmp_path)
    rng = np.random.default_rng(0)
    truth = np.zeros((6, 8), np.uint8)
    truth[:, 0:2], truth[:, 6:8], truth[0, 3] = 1, 2, 255
    for i, sample in enumerate(tiny.samples):
        image = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(image).save(sample['img_path'])
        save_label_map(sample['seg_map_path'], truth)
        cam = np.stack([truth == 1, truth == 2]).astype(np.float32)
        cam[:, :i] *= .2
        save_seed(tmp_path / f'run/seeds/im{i}.npz', cam, np.array([0, 1]))
        label = truth.copy()
        label[:i] = 0
        save_label_map(tmp_path / f'run/SegmentationClass/im{i}.png', label)
    return tiny
