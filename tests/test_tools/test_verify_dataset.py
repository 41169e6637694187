# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp
import runpy
import sys

import numpy as np
import pytest
from PIL import Image

SCRIPT = osp.join(osp.dirname(__file__), '../../tools/misc/verify_dataset.py')
CONFIG = """
data_root = 'nowhere'
dataset = dict(
    type='ImageLevelDataset',
    data_root=data_root,
    ann_file='train.txt',
    metainfo=dict(classes='classes.txt'))
train_dataloader = dict(
    dataset=dict(type='SameClassPairDataset', dataset=dataset))
test_dataloader = dict(
    dataset=dict(
        type='ImageLevelDataset',
        data_root=data_root,
        ann_file='val.txt',
        metainfo=dict(classes='classes.txt')))
"""


@pytest.fixture
def root(tmp_path):
    for folder in ('JPEGImages', 'SegmentationClass'):
        (tmp_path / folder).mkdir()
    noise = np.random.default_rng(0).integers(
        0, 255, (32, 48, 3), dtype=np.uint8)
    for img_id in 'abcdef':
        Image.fromarray(noise).save(tmp_path / f'JPEGImages/{img_id}.jpg')
    Image.new('L', (48, 32), 2).save(tmp_path / 'SegmentationClass/a.png')
    (tmp_path / 'classes.txt').write_text('cat\ndog\n')
    (tmp_path / 'train.txt').write_text('a cat\nb 1\nc 0 1\n')
    (tmp_path / 'val.txt').write_text('d cat\n')
    (tmp_path / 'config.py').write_text(CONFIG)
    return tmp_path


@pytest.fixture
def run(root, monkeypatch, capsys):

    def call(*args):
        monkeypatch.setattr(sys, 'argv', [
            'tool',
            str(root / 'config.py'), '--cfg-options', f'data_root={root}',
            *args
        ])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(SCRIPT, run_name='__main__')
        return stop.value.code, capsys.readouterr().out.replace(f'{root}/', '')

    return call


def test_good_data(run):
    code, out = run()
    assert code == 0
    assert 'train_dataloader: train.txt' in out
    assert '0 problems; 3 ids, 1 of them with a label map' in out
    assert 'test_dataloader: val.txt' in out


def test_all_problems_at_once(root, run):
    (root / 'train.txt').write_text('a cat bird\nb\nx 0\nc 1\nd 0\ne 1\nf 1\n'
                                    'f 0\n')
    (root / 'val.txt').write_text('')
    image = root / 'JPEGImages/c.jpg'
    image.write_bytes(image.read_bytes()[:-500])
    masks = root / 'SegmentationClass'
    Image.new('L', (32, 48)).save(masks / 'd.png')
    Image.new('L', (48, 32), 3).save(masks / 'e.png')
    (masks / 'f.png').write_text('no image')
    Image.new('RGB', (48, 32)).save(masks / 'a.png')
    code, out = run()
    assert code == 1
    for problem in (
            "train.txt:1: unknown class 'bird' of id a",
            'train.txt:2: id b has no label',
            'train.txt:3: image JPEGImages/x.* does not exist',
            'train.txt:8: id f is at train.txt:7 already',
            'Image JPEGImages/c.jpg cannot be read',
            'Mask SegmentationClass/d.png has height x width 48x32, its image '
            'or map 32x48',
            'Mask SegmentationClass/e.png holds the value 3',
            'Mask SegmentationClass/f.png cannot be read',
            'Mask SegmentationClass/a.png has shape (32, 48, 3)',
            'val.txt lists no image',
    ):
        assert out.count(problem) == 1, problem
    assert '9 problems; 7 ids' in out and '1 problems; 0 ids' in out


def test_notes(root, run):
    (root / 'train.txt').write_text('a cat\nb 0\n')
    Image.new('RGB', (2001, 2)).save(root / 'JPEGImages/b.jpg')
    code, out = run()
    assert code == 0
    assert 'Note: no image shows dog.' in out
    assert 'Note: every image shows cat:' in out
    assert out.count('Note: 1 images have a side of more than 2000') == 1


def test_list_to_validate_on(root, run):
    (root / 'config.py').write_text("""
default_scope = 'mmseg'
data_root = 'nowhere'
train_dataloader = dict(
    dataset=dict(
        type='mmktse.PseudoLabelSegDataset',
        data_root=data_root,
        pseudo_label_dir='gone'))
val_dataloader = dict(
    dataset=dict(
        type='mmktse.SegListDataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ann_file='ids.txt',
        metainfo=dict(classes=('background', 'cat', 'dog'))))
""")
    (root / 'ids.txt').write_text('a\n')
    code, out = run()
    assert code == 0 and 'val_dataloader: ids.txt' in out
    assert '0 problems; 1 ids, 1 of them with a label map' in out
    Image.new('L', (48, 32), 3).save(root / 'SegmentationClass/a.png')
    code, out = run()
    assert code == 1 and 'Mask SegmentationClass/a.png holds the va' in out
    (root / 'ids.txt').write_text('a\nb\nx\nb\n')
    code, out = run()
    assert code == 1 and '5 problems; 3 ids' in out
    for problem in ('ids.txt:2: mask SegmentationClass/b.png does',
                    'ids.txt:3: image JPEGImages/x.* does',
                    'ids.txt:4: id b is at ids.txt:2 already'):
        assert out.count(problem) == 1


@pytest.mark.parametrize('old, new, message', [
    ("'ImageLevelDataset'", "'ImageLevelDatset'", 'ImageLevelDatset'),
    ('dataloader', 'loader', 'has no data set that this tool can check'),
    ("'ImageLevelDataset'", "'mmktse.SegListDataset'", 'leaves the classes'),
])
def test_config_that_cannot_be_checked(root, run, old, new, message):
    (root / 'config.py').write_text(CONFIG.replace(old, new))
    assert message in str(run()[0])


def test_labels_only(root, run):
    (root / 'JPEGImages/c.jpg').write_text('no image')
    assert run('--labels-only')[0] == 0
    assert run()[0] == 1


def test_missing_files(root, run):
    (root / 'train.txt').unlink()
    code, out = run()
    assert code == 1 and 'There is no label file train.txt' in out
    (root / 'classes.txt').unlink()
    assert 'no class file' in run()[0]
