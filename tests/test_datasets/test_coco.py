# Copyright (c) mmktse authors. All rights reserved.
import json

import pytest
from PIL import Image

from mmktse.datasets import COCOImageLevelDataset
from mmktse.datasets.coco import COCO_CLASSES

# The ids that COCO leaves out between 1 and 90.
GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
CATEGORY_IDS = [i for i in range(1, 91) if i not in GAPS]


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'train2014').mkdir()
    images = {1: 'COCO_train2014_1', 2: 'COCO_train2014_2', 3: 'empty'}
    for name in images.values():
        Image.new('RGB', (8, 8)).save(tmp_path / f'train2014/{name}.jpg')
    objects = [(1, 90), (1, 1), (2, 13), (2, 13), (2, 44)]
    (tmp_path / 'annotations/instances_train2014.json').write_text(
        json.dumps(
            dict(
                images=[
                    dict(id=i, file_name=f'{name}.jpg')
                    for i, name in images.items()
                ],
                categories=[
                    dict(id=i, name=name)
                    for i, name in zip(CATEGORY_IDS, COCO_CLASSES)
                ],
                annotations=[
                    dict(id=k, image_id=i, category_id=c)
                    for k, (i, c) in enumerate(objects)
                ])))
    return str(tmp_path)


def test_contiguous_indices(root):
    dataset = COCOImageLevelDataset(root)
    # The image without object is left out.
    assert len(dataset) == 2
    assert dataset.get_cat_ids(0) == [0, 79]
    # Stop sign (13) follows fire hydrant (11), bottle (44) tennis racket (43).
    assert dataset.get_cat_ids(1) == [11, 39]
    assert dataset.get_data_info(0)['seg_map_path'].endswith(
        'masks/train2014/COCO_train2014_1.png')


def test_metainfo():
    meta = COCOImageLevelDataset.METAINFO
    assert len(set(meta['classes'])) == 80 and len(meta['palette']) == 81
    # Known pairs of id and name from the whole range.
    names = dict(zip(CATEGORY_IDS, meta['classes']))
    assert (names[1], names[13], names[27], names[44], names[67], names[84],
            names[90]) == ('person', 'stop sign', 'backpack', 'bottle',
                           'dining table', 'book', 'toothbrush')
