# Copyright (c) mmktse authors. All rights reserved.
import pytest
from PIL import Image

from mmktse.datasets import VOCImageLevelDataset

OBJECT = ('<object><name>{}</name><difficult>{}</difficult>'
          '<part><name>head</name></part></object>').format


@pytest.fixture
def root(tmp_path):
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Segmentation'):
        (tmp_path / folder).mkdir(parents=True)
    for img_id, objects in dict(
            a=OBJECT('person', 0) + OBJECT('aeroplane', 1),
            b=OBJECT('tvmonitor', 0),
            c=OBJECT('unicorn', 0)).items():
        Image.new('RGB', (8, 8)).save(tmp_path / f'JPEGImages/{img_id}.jpg')
        (tmp_path / f'Annotations/{img_id}.xml'
         ).write_text(f'<annotation>{objects}</annotation>')
    lists = tmp_path / 'ImageSets/Segmentation'
    (lists / 'train.txt').write_text('b\na\n')
    (lists / 'val.txt').write_text('c\n')
    (lists / 'test.txt').write_text('d\n')
    return str(tmp_path)


def test_standard_folders(root):
    dataset = VOCImageLevelDataset(root)
    assert [dataset.get_data_info(i)['img_id'] for i in (0, 1)] == ['b', 'a']
    # Difficult objects count, parts of objects do not.
    assert dataset.get_cat_ids(1) == [0, 14]
    assert dataset.get_cat_ids(0) == [19]


def test_metainfo():
    meta = VOCImageLevelDataset.METAINFO
    assert len(meta['classes']) == 20 and len(meta['palette']) == 21
    assert meta['palette'][:2] == [[0, 0, 0], [128, 0, 0]]
    assert meta['palette'][20] == [0, 64, 128]


def test_bad_annotations(root):
    with pytest.raises(
            ValueError, match=r"c\.xml: unknown class 'unicorn' of id c"):
        VOCImageLevelDataset(root, id_file='ImageSets/Segmentation/val.txt')
    with pytest.raises(ValueError, match=r'test\.txt:1: image .*d\.\*'):
        VOCImageLevelDataset(root, id_file='ImageSets/Segmentation/test.txt')
