# Copyright (c) mmktse authors. All rights reserved.
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmktse.datasets import synthetic
from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc

SMALL = dict(num_train=12, num_val=3, size=64)


def read(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in Path(root).rglob('*') if path.is_file()
    }


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return Path(
        generate_synthetic_voc(
            str(tmp_path_factory.mktemp('syn') / 'voc'), **SMALL))


def test_layout_and_labels_fit_the_masks(root):
    assert (root / 'classes.txt').read_text().split() == list(CLASSES)
    counts = []
    for split, num in (('train', 12), ('val', 3)):
        ids = (root / f'ImageSets/{split}.txt').read_text().split()
        lines = (root / f'ImageSets/{split}_labels.txt').read_text()
        lines = [line.split() for line in lines.splitlines()]
        assert [line[0] for line in lines] == ids and len(set(ids)) == num
        for img_id, *names in lines:
            image = Image.open(root / f'JPEGImages/{img_id}.jpg')
            mask = Image.open(root / f'SegmentationClass/{img_id}.png')
            assert mask.mode == 'P' and mask.size == image.size
            assert max(image.size) == 64 and min(image.size) >= 48
            present = set(np.unique(np.array(mask))) - {0, 255}
            assert present == {CLASSES.index(name) + 1 for name in names}
            counts.append(len(names))
    assert set(counts) >= {1, 2}


def test_every_class_and_the_promised_share_of_classes():
    labels = [
        synthetic._choose_labels(np.random.default_rng([0, 0, i]), i)
        for i in range(400)
    ]
    counts = np.bincount([len(x) for x in labels], minlength=4) / 400
    np.testing.assert_allclose(counts[1:], [.55, .35, .1], atol=.07)
    assert all(len(set(x)) == len(x) for x in labels)
    per_class = np.bincount(np.concatenate(labels), minlength=len(CLASSES))
    assert per_class.min() > .8 * per_class.mean()


def test_part_is_a_small_share_of_the_object():
    for label in range(len(CLASSES)):
        whole, part, pixels = synthetic._object(
            np.random.default_rng(label), label, np.array([100, 100]), 60,
            (200, 200))
        assert .03 < part.sum() / whole.sum() < .25
        assert np.all(whole[part > 0] == 1)
        body = (whole > 0) & (part == 0)
        # The part has contrast, the body next to none.
        grey = pixels.mean(-1)
        assert grey[part > 0].std() > 2 * grey[body].std()


def test_same_seed_same_bytes_other_seed_others(root, tmp_path):
    again = generate_synthetic_voc(str(tmp_path / 'again'), **SMALL)
    assert read(again) == read(root)
    other = generate_synthetic_voc(str(tmp_path / 'other'), seed=1, **SMALL)
    image = 'JPEGImages/syn_train_00000.jpg'
    assert read(other)[image] != read(root)[image]


def test_an_image_does_not_depend_on_how_many_there_are(root, tmp_path):
    few = generate_synthetic_voc(
        str(tmp_path), num_train=2, num_val=1, size=64)
    for name in ('train_00001', 'val_00000'):
        name = f'JPEGImages/syn_{name}.jpg'
        digests = [
            hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()
            for folder in (few, root)
        ]
        assert digests[0] == digests[1]


def test_killed_generation_starts_again(root, tmp_path, monkeypatch):
    draw, calls = synthetic._draw, []

    def killed(*args):
        calls.append(1)
        if len(calls) > 5:
            raise KeyboardInterrupt
        return draw(*args)

    monkeypatch.setattr(synthetic, '_draw', killed)
    with pytest.raises(KeyboardInterrupt):
        generate_synthetic_voc(str(tmp_path), **SMALL)
    assert not (tmp_path / synthetic.MARKER).exists()
    monkeypatch.setattr(synthetic, '_draw', draw)
    # What SIGKILL in the middle of a write leaves behind.
    (tmp_path / 'JPEGImages/.syn_train_00005.jpg.1.tmp').write_bytes(b'x')
    (tmp_path / 'JPEGImages/syn_train_00004.jpg').write_bytes(b'')
    generate_synthetic_voc(str(tmp_path), **SMALL)
    assert read(tmp_path) == read(root)


def test_finished_set_is_left_alone(root, monkeypatch):
    monkeypatch.setattr(synthetic, '_draw', None)
    marker = root / synthetic.MARKER
    before = os.stat(marker).st_mtime_ns
    assert generate_synthetic_voc(str(root), **SMALL) == str(root)
    assert os.stat(marker).st_mtime_ns == before


def test_other_settings_and_foreign_images_are_refused(root, tmp_path):
    with pytest.raises(ValueError, match='other settings.*delete the folder'):
        generate_synthetic_voc(str(root), num_train=13, num_val=3, size=64)
    (tmp_path / 'JPEGImages').mkdir()
    (tmp_path / 'JPEGImages/2007_000032.jpg').write_bytes(b'')
    with pytest.raises(ValueError, match='2007_000032'):
        generate_synthetic_voc(str(tmp_path), **SMALL)
    assert read(tmp_path) == {'JPEGImages/2007_000032.jpg': b''}


@pytest.mark.parametrize('bad', [
    dict(num_train=0),
    dict(num_val=0),
    dict(size=47),
    dict(seed=-1),
])
def test_bad_numbers(tmp_path, bad):
    with pytest.raises(ValueError, match='must be at least'):
        generate_synthetic_voc(str(tmp_path), **{**SMALL, **bad})
    assert not list(tmp_path.iterdir())
