# Copyright (c) mmktse authors. All rights reserved.
import json

import numpy as np
import pytest
from PIL import Image

from mmktse.datasets.pseudo_label_seg import PseudoLabelSegDataset
from mmktse.seeds import save_label_map
from mmktse.seeds.manifest import Manifest, label_path

PALETTE = [[0, 0, 0], [9, 8, 7], [1, 2, 3]]


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'JPEGImages').mkdir()
    manifest = Manifest(
        tmp_path / 'labels',
        dict(dataset=dict(classes=['cat', 'dog'], palette=PALETTE)),
        dict(config='a.py', checkpoint='b.pth'))
    manifest.start()
    for i, name in enumerate('xyz'):
        Image.new('RGB', (6, 4)).save(tmp_path / 'JPEGImages' / f'{name}.jpg')
        label = np.full((4, 6), i, np.uint8)
        label[0] = 255
        save_label_map(label_path(tmp_path / 'labels', name), label, PALETTE)
    manifest.finish(list('xyz'))
    return tmp_path


def _build(root, **kwargs):
    return PseudoLabelSegDataset(
        data_root=str(root), pseudo_label_dir=str(root / 'labels'), **kwargs)


def test_images_with_their_labels(root):
    dataset = _build(
        root,
        pipeline=[
            dict(type='mmcv.LoadImageFromFile'),
            dict(type='mmseg.LoadAnnotations')
        ])
    assert dataset.metainfo['classes'] == ['background', 'cat', 'dog']
    assert dataset.metainfo['palette'] == PALETTE
    assert len(dataset) == 3
    for i in range(3):
        sample = dataset[i]
        assert sample['img'].shape == (4, 6, 3)
        assert (sample['gt_seg_map'][0] == 255).all()
        assert (sample['gt_seg_map'][1:] == i).all()


def test_list_may_hold_fewer_images(root):
    (root / 'train.txt').write_text('# id labels\nz 1\n\nx 0\n')
    dataset = _build(root, ann_file='train.txt')
    assert [dataset[i]['img_path'][-5:]
            for i in range(len(dataset))] == ['z.jpg', 'x.jpg']


def test_image_without_label_is_named(root):
    (root / 'train.txt').write_text('x\nother\n')
    with pytest.raises(FileNotFoundError, match='other'):
        _build(root, ann_file='train.txt')


def test_label_without_image_is_named(root):
    (root / 'JPEGImages' / 'y.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'y\.\* has a pseudo label'):
        _build(root)


def test_incomplete_folder_is_refused(root):
    label_path(root / 'labels', 'y').unlink()
    with pytest.raises(FileNotFoundError, match='make_pseudo_labels.py a.py'):
        _build(root)
    (root / 'labels' / 'manifest.json').unlink()
    with pytest.raises(FileNotFoundError, match='has no manifest'):
        _build(root)


def test_other_classes_are_refused(root):
    with pytest.raises(ValueError, match='was made for the classes'):
        _build(root, metainfo=dict(classes=('background', 'cat', 'cow')))


def test_confidence_masks_are_asked_for(root):
    with pytest.raises(ValueError, match='confidence_share=0.5'):
        _build(root, confidence=True)
    path = root / 'labels' / 'manifest.json'
    manifest = json.loads(path.read_text())
    manifest['settings']['labels'] = dict(confidence_share=.5)
    del manifest['sha256']
    path.write_text(json.dumps(manifest))
    sample = _build(root, confidence=True).get_data_info(1)
    assert sample['confidence_path'] == str(root / 'labels/Confidence/y.png')
