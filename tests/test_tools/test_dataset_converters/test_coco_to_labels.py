# Copyright (c) mmktse authors. All rights reserved.
import json
import os.path as osp
import runpy
import sys

import numpy as np
import pytest
from PIL import Image

from mmktse.datasets.image_labels import read_labels
from mmktse.seeds.label_io import load_label_map

SCRIPT = osp.join(
    osp.dirname(__file__),
    '../../../tools/dataset_converters/coco_to_labels.py')


def box(left, top, right, bottom):
    return [[left, top, right, top, right, bottom, left, bottom]]


@pytest.fixture
def run(tmp_path, monkeypatch):
    # Rows 6 and 7 of the 8 x 10 image, in COCO's runs along the columns.
    crowd = dict(size=[8, 10], counts=[6, 2] * 10)
    objects = [(4, 90, box(1, 1, 3, 3), 4, 0), (4, 7, box(0, 0, 5, 5), 25, 0),
               (4, 7, crowd, 20, 1), (4, 90, box(8, 5, 9, 8), 3, 0)]
    (tmp_path / 'i.json').write_text(
        json.dumps(
            dict(
                images=[
                    dict(id=4, file_name='b.jpg', height=8, width=10),
                    dict(id=1, file_name='a.jpg', height=4, width=4)
                ],
                categories=[
                    dict(id=90, name='tooth brush'),
                    dict(id=7, name='train')
                ],
                annotations=[
                    dict(
                        id=k,
                        image_id=i,
                        category_id=c,
                        segmentation=s,
                        area=area,
                        iscrowd=is_crowd)
                    for k, (i, c, s, area, is_crowd) in enumerate(objects)
                ])))

    def call(*args):
        monkeypatch.setattr(sys, 'argv', [
            'tool',
            str(tmp_path / 'i.json'),
            str(tmp_path / 'labels.txt'), *map(str, args)
        ])
        runpy.run_path(SCRIPT, run_name='__main__')

    return call


def test_labels(run, tmp_path):
    run('--classes-out', tmp_path / 'classes.txt', '--ids-out',
        tmp_path / 'ids.txt')
    labels, _ = read_labels(str(tmp_path / 'labels.txt'))
    # Category 7 becomes 0, 90 becomes 1; a name with a blank forces indices.
    assert {k: v.tags for k, v in labels.items()} == dict(b=['0', '1'])
    assert (tmp_path / 'classes.txt').read_text() == 'train\ntooth brush\n'
    assert (tmp_path / 'ids.txt').read_text() == 'b\n'


@pytest.mark.parametrize('crowd', ['class', 'void'])
def test_masks(run, tmp_path, crowd):
    pytest.importorskip('pycocotools')
    run('--mask-dir', tmp_path / 'masks', '--num-workers', 1, '--crowd', crowd)
    expected = np.zeros((8, 10), np.uint8)
    expected[6:] = 1 if crowd == 'class' else 255
    expected[:5, :5] = 1
    expected[1:3, 1:3] = 2  # smaller, so on top of what comes later
    expected[5:8, 8] = 2
    label = load_label_map(tmp_path / 'masks/b.png')
    np.testing.assert_array_equal(label, expected)
    assert Image.open(tmp_path / 'masks/b.png').mode == 'P'
    assert not load_label_map(tmp_path / 'masks/a.png', (4, 4)).any()
    # What is there already is kept.
    Image.new('L', (10, 8), 9).save(tmp_path / 'masks/b.png')
    run('--mask-dir', tmp_path / 'masks', '--num-workers', 1)
    assert (load_label_map(tmp_path / 'masks/b.png') == 9).all()


def test_pycocotools_absent(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pycocotools', None)
    with pytest.raises(SystemExit, match='pip install pycocotools'):
        run('--mask-dir', tmp_path / 'masks')
