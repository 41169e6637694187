# Copyright (c) mmktse authors. All rights reserved.
import json
import os
import os.path as osp

import numpy as np
import pytest
import torch
from PIL import Image

from mmktse.datasets import ImageLevelDataset
from mmktse.registry import DATASETS

CLASSES = ('cat', 'dog', 'cow')
LABELS = dict(b=[0, 2], a=[1], c=[0, 1, 2])


@pytest.fixture
def root(tmp_path):
    """Three images, one with label map, and their labels as text."""
    for folder in ('JPEGImages', 'SegmentationClass'):
        (tmp_path / folder).mkdir()
    for img_id in LABELS:
        Image.new('RGB', (9, 6)).save(tmp_path / f'JPEGImages/{img_id}.jpg')
    Image.new('L', (9, 6)).save(tmp_path / 'SegmentationClass/a.png')
    (tmp_path / 'classes.txt').write_text('\n'.join(CLASSES))
    (tmp_path / 'labels.txt').write_text('b cow 0\na 1\nc 2 cat 1 1\n')
    return str(tmp_path)


def build(root, ann_file='labels.txt', **kwargs):
    kwargs.setdefault('metainfo', dict(classes='classes.txt'))
    return ImageLevelDataset(root, ann_file, **kwargs)


def labels(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return {info['img_id']: info.get('gt_label') for info in infos}


def write(root, name, text):
    with open(osp.join(root, name), 'w') as file:
        file.write(text)


def test_samples(root):
    dataset = build(root)
    assert dataset.metainfo['classes'] == CLASSES
    assert labels(dataset) == LABELS and list(labels(dataset)) == list('bac')
    assert dataset.get_data_info(1) == dict(
        img_id='a',
        img_path=osp.join(root, 'JPEGImages/a.jpg'),
        seg_map_path=osp.join(root, 'SegmentationClass/a.png'),
        gt_label=[1],
        sample_idx=1)
    assert dataset.get_cat_ids(2) == [0, 1, 2]


@pytest.mark.parametrize('name, text', [
    ('l.csv', 'id,classes\nb,cow;cat\na,dog\nc,0,1,2\n'),
    ('l.json', json.dumps(dict(b=['cat', 2], a='dog', c=[0, 1, 2]))),
])
def test_same_from_other_files(root, name, text):
    write(root, name, text)
    assert labels(build(root, name)) == LABELS


def test_classes_as_names_or_absolute_file(root):
    assert labels(build(root, metainfo=dict(classes=list(CLASSES)))) == LABELS
    path = osp.join(root, 'classes.txt')
    assert labels(build(root, metainfo=dict(classes=path))) == LABELS
    with pytest.raises(ValueError, match=r'labels\.txt are not known.*metai'):
        build(root, metainfo=None)


def test_id_file_selects_and_orders(root):
    write(root, 'ids.txt', 'c\nb\n')
    dataset = build(root, id_file='ids.txt')
    assert list(labels(dataset)) == ['c', 'b']
    assert labels(dataset)['c'] == LABELS['c']


def test_id_file_outside_of_the_data(root, tmp_path_factory):
    path = tmp_path_factory.mktemp('lists') / 'ids.txt'
    path.write_text('b\n')
    assert list(labels(build(root, id_file=osp.relpath(path)))) == ['b']


def test_without_label_maps(root):
    for prefix in (dict(img_path='JPEGImages'),
                   dict(img_path='JPEGImages', seg_map_path=None)):
        info = build(root, data_prefix=prefix).get_data_info(0)
        assert 'seg_map_path' not in info


def test_folder_per_class(tmp_path):
    for path in ('dog/1.png', 'cat/1.png', 'cat/2.png'):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        Image.new('RGB', (4, 4)).save(tmp_path / path)
    dataset = ImageLevelDataset(str(tmp_path), data_prefix=dict(img_path=''))
    assert dataset.metainfo['classes'] == ('cat', 'dog')
    assert labels(dataset) == {'cat/1': [0], 'cat/2': [0], 'dog/1': [1]}
    assert osp.isfile(dataset.get_data_info(2)['img_path'])
    # The order of given classes counts, not that of the folders.
    dataset = ImageLevelDataset(
        str(tmp_path),
        data_prefix=dict(img_path=''),
        metainfo=dict(classes=('dog', 'cat')))
    assert labels(dataset)['dog/1'] == [0]


def test_folder_of_negatives(tmp_path):
    for path in ('dog/1.png', 'background/1.png'):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        Image.new('RGB', (4, 4)).save(tmp_path / path)
    with pytest.raises(ValueError, match='background: images without any'):
        ImageLevelDataset(str(tmp_path), data_prefix=dict(img_path=''))


def test_deployment_folder(root):
    dataset = ImageLevelDataset(root, require_labels=False)
    assert labels(dataset) == dict(a=None, b=None, c=None)
    assert dataset.get_cat_ids(0) == []
    # Labels of a part of the images.
    write(root, 'labels.txt', 'b 1\n')
    write(root, 'ids.txt', 'a\nb\n')
    dataset = build(root, id_file='ids.txt', require_labels=False)
    assert labels(dataset) == dict(a=None, b=[1])


def test_lazy_init_and_subsets(root):
    for serialize in (True, False):
        dataset = build(root, lazy_init=True, serialize_data=serialize)
        assert not dataset._fully_initialized
        subset = dataset.get_subset([2, 0])
        assert list(labels(subset)) == ['c', 'b'] and len(dataset) == 3
        dataset.get_subset_([1])
        assert list(labels(dataset)) == ['a']
    assert list(labels(build(root, indices=2))) == ['b', 'a']


def test_pipeline_packs_samples(root):
    meta_keys = ('img_id', 'img_path', 'seg_map_path', 'ori_shape')
    pack = dict(type='mmpretrain.PackInputs', meta_keys=meta_keys)
    dataset = DATASETS.build(
        dict(
            type='ImageLevelDataset',
            data_root=root,
            ann_file='labels.txt',
            metainfo=dict(classes='classes.txt'),
            test_mode=True,
            pipeline=[
                dict(type='LoadImage'),
                dict(type='MultiScaleViews', scales=(1., 2.)), pack
            ]))
    packed = dataset[0]
    assert [tuple(x.shape) for x in packed['inputs']] == [(3, 6, 9),
                                                          (3, 12, 18)]
    sample = packed['data_samples']
    assert sample.gt_label.tolist() == [0, 2]
    assert sample.gt_label.dtype == torch.long
    assert sample.ori_shape == (6, 9) and sample.img_id == 'b'
    assert sample.seg_map_path.endswith('b.png')


@pytest.mark.parametrize('line, message', [
    ('a bird', r"labels\.txt:2: unknown class 'bird' of id a; correct it"),
    ('a 3', r"labels\.txt:2: unknown class '3' of id a"),
    ('a -1', r"labels\.txt:2: unknown class '-1' of id a"),
    ('a', r'labels\.txt:2: id a has no label .*name at least one class'),
    ('d 0', r'labels\.txt:2: image \S*d\.\* does not exist; add it'),
    ('b 0', r'labels\.txt:2: id b is at \S*labels\.txt:1 already'),
])
def test_bad_line(root, line, message):
    write(root, 'labels.txt', f'b 0\n{line}\nc 1\n')
    with pytest.raises(ValueError, match=message):
        build(root)


def test_bad_ids(root):
    write(root, 'ids.txt', 'a\nx\na\n')
    with pytest.raises(ValueError, match=r'ids\.txt:3: id a is at'):
        build(root, id_file='ids.txt')
    Image.new('RGB', (9, 6)).save(osp.join(root, 'JPEGImages/x.jpg'))
    write(root, 'ids.txt', 'a\nx\n')
    with pytest.raises(
            ValueError, match=r'ids\.txt:2: id x has no label in \S*labels'):
        build(root, id_file='ids.txt')


def test_first_problem_counts_the_others(root):
    write(root, 'labels.txt', 'a bird\nb\nd 0\n')
    with pytest.raises(ValueError, match=r'2 more .*verify_dataset\.py'):
        build(root)
    assert len(build(root, lazy_init=True).scan()[1]) == 3


def test_empty_lists(root):
    write(root, 'empty.txt', '# nothing\n')
    for kwargs in (dict(ann_file='empty.txt'), dict(id_file='empty.txt')):
        with pytest.raises(ValueError, match=r'empty\.txt lists no image'):
            build(root, **kwargs)
    with pytest.raises(ValueError, match='lists no image; .* img_suffix'):
        build(root, '', img_suffix='.gif', require_labels=False)


def test_missing_files(root):
    for kwargs, message in (
        (dict(ann_file='no.txt'), r'label file \S*no\.txt'),
        (dict(id_file='no.txt'), r'no list \S*no\.txt'),
        (dict(metainfo=dict(classes='no.txt')), r'class file \S*no\.txt'),
        (dict(data_prefix=dict(img_path='no')), r'image folder \S*no.*data_r'),
    ):
        with pytest.raises(FileNotFoundError, match=message):
            build(root, **kwargs)


def test_unreadable_image_stops_training(root):
    write(root, 'JPEGImages/a.jpg', 'no image')
    dataset = build(root, pipeline=[dict(type='LoadImage')])
    with pytest.raises(OSError, match=r'a\.jpg cannot be read'):
        dataset[1]
    assert isinstance(dataset[0]['img'], np.ndarray)


@pytest.mark.skipif(
    not os.environ.get('MMKTSE_TEST_DATA'),
    reason='MMKTSE_TEST_DATA names no folder of real images')
def test_real_images():
    dataset = build(
        osp.join(os.environ['MMKTSE_TEST_DATA'], 'voc12_animals'),
        'ImageSets/train_labels.txt')
    assert len(dataset) == 1134
    several = [len(label) > 1 for label in labels(dataset).values()]
    assert sum(several) == 484


def test_ids_that_lead_out_of_the_folder(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp('outside') / 'x'
    Image.new('RGB', (9, 6)).save(f'{outside}.jpg')
    for img_id in (osp.relpath(outside, f'{root}/JPEGImages'), outside):
        write(root, 'labels.txt', f'a 0\n{img_id} 0\n')
        with pytest.raises(ValueError, match=r'labels\.txt:2: id .*leads out'):
            build(root)
        write(root, 'ids.txt', f'a\n{img_id}\n')
        with pytest.raises(ValueError, match=r'ids\.txt:2: id .*leads out'):
            build(root, '', id_file='ids.txt', require_labels=False)


def test_suffixes(root):
    os.rename(f'{root}/JPEGImages/a.jpg', f'{root}/JPEGImages/a.JPG')
    write(root, 'labels.txt', 'b.jpg cow 0\na.jpg 1\nc 2 cat 1 1\n')
    dataset = build(root)
    assert labels(dataset) == LABELS
    assert dataset.get_data_info(1)['img_path'].endswith('/a.JPG')
    with pytest.raises(ValueError, match=r'image \S*a\.jpg .* or img_suffix'):
        build(root, img_suffix='.jpg')
    Image.new('RGB', (9, 6)).save(f'{root}/JPEGImages/c.png')
    with pytest.raises(
            ValueError, match=r'txt:3: c\.jpg and c\.png in .*same'):
        build(root)


def test_no_image_has_a_label(root):
    write(root, 'labels.txt', 'a\nb\nc\n')
    with pytest.raises(ValueError, match=r'labels\.txt:1: id a has .*2 more'):
        build(root)
