# Copyright (c) mmktse authors. All rights reserved.
import pytest
from PIL import Image

from mmktse.datasets import SegListDataset


@pytest.fixture
def root(tmp_path):
    for folder in ('JPEGImages', 'SegmentationClass'):
        (tmp_path / folder).mkdir()
    for name in 'ab':
        Image.new('RGB', (6, 4)).save(tmp_path / f'JPEGImages/{name}.jpg')
        Image.new('L', (6, 4),
                  1).save(tmp_path / f'SegmentationClass/{name}.png')
    return tmp_path


def build(root, text):
    (root / 'val.txt').write_bytes(text.encode())
    return SegListDataset(
        data_root=str(root),
        ann_file='val.txt',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'),
        metainfo=dict(classes=('background', 'cat')),
        pipeline=[dict(type='LoadImage'),
                  dict(type='LoadMask')])


def test_only_the_ids_count(root):
    dataset = build(root, '\ufeff# all\r\nb cat \r\n\r\na\t\r\n')
    assert [dataset[i]['img_path'][-5:]
            for i in range(2)] == ['b.jpg', 'a.jpg']
    assert (dataset[0]['gt_seg_map'] == 1).all()


def test_image_of_another_suffix(root):
    (root / 'JPEGImages/a.jpg').rename(root / 'JPEGImages/a.JPEG')
    assert build(root, 'a.jpg\n')[0]['img_path'].endswith('/a.JPEG')


@pytest.mark.parametrize('text, message', [
    ('', r'val\.txt lists no image'),
    ('a\nb\na\n', r'val\.txt:3: id a is at \S*val\.txt:1 already'),
    ('a\n../a\n', r'val\.txt:2: id \.\./a leads out'),
    ('a\nx\n', r'val\.txt:2: image \S*x\.\* does not exist; add it'),
])
def test_wrong_list_is_named(root, text, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        build(root, text)


def test_absent_mask_and_list_are_named(root):
    (root / 'SegmentationClass/b.png').unlink()
    with pytest.raises(ValueError, match=r'val\.txt:1: mask \S*b\.png'):
        build(root, 'b\n')
    (root / 'JPEGImages/a.jpg').unlink()
    with pytest.raises(ValueError, match=r'1: image \S*a\.\* .*And 1 more'):
        build(root, 'a\nb\n')
    with pytest.raises(FileNotFoundError, match='There is no list'):
        SegListDataset(data_root=str(root), ann_file='gone.txt')
