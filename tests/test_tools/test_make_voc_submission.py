# Copyright (c) mmktse authors. All rights reserved.
import io
import runpy
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmktse.seeds import color_map, save_label_map

SCRIPT = Path(__file__).parents[2] / 'tools' / 'misc' \
    / 'make_voc_submission.py'
IDS = ('2008_000006', '2008_000011', '2009_000002')


@pytest.fixture
def root(tmp_path):
    """Predictions with other colours, and images, in a list out of order."""
    for i, name in enumerate(IDS):
        label = np.random.default_rng(i).integers(0, 21, (10 + i, 12))
        palette = [[i, i, i] for i in range(21)]
        save_label_map(tmp_path / 'pred' / 'SegmentationClass' / f'{name}.png',
                       label, palette)
        (tmp_path / 'images').mkdir(exist_ok=True)
        Image.new('RGB',
                  (12, 10 + i)).save(tmp_path / 'images' / f'{name}.jpg')
    (tmp_path / 'test.txt').write_text('\n'.join(IDS[::-1]) + '\n')
    return tmp_path


@pytest.fixture
def run(root, monkeypatch):
    main = runpy.run_path(str(SCRIPT))['main']

    def run(*words, folder='pred'):
        out = root / 'results.tgz'
        monkeypatch.setattr(sys, 'argv', [
            'make_voc_submission.py',
            str(root / folder), '--ids',
            str(root / 'test.txt'), '--out',
            str(out), *map(str, words)
        ])
        main()
        return out.read_bytes()

    return run


def test_archive_reads_back(run, root, capsys):
    save_label_map(root / 'pred/SegmentationClass/other.png', np.zeros((2, 2)))
    content = run('--images', root / 'images')
    assert 'holds 3 masks; 1 others' in capsys.readouterr().out
    with tarfile.open(fileobj=io.BytesIO(content), mode='r:gz') as archive:
        entries = archive.getmembers()
        assert [entry.name for entry in entries] == [
            f'results/VOC2012/Segmentation/comp6_test_cls/{name}.png'
            for name in IDS
        ]
        for i, entry in enumerate(entries):
            assert entry.mtime == 0 and entry.isreg()
            image = Image.open(archive.extractfile(entry))
            assert image.mode == 'P'
            assert image.getpalette() == color_map().ravel().tolist()
            want = np.random.default_rng(i).integers(0, 21, (10 + i, 12))
            np.testing.assert_array_equal(np.array(image), want)


def test_same_masks_give_the_same_bytes(run, root):
    first = run()
    (root / 'test.txt').write_text('\n'.join(IDS))
    (root / 'pred' / 'SegmentationClass').rename(root / 'plain')
    assert run(folder='plain') == first
    assert run('--challenge', 'comp5', folder='plain') != first


def test_all_problems_are_listed(run, root, capsys):
    folder = root / 'pred' / 'SegmentationClass'
    (folder / f'{IDS[0]}.png').unlink()
    save_label_map(folder / f'{IDS[1]}.png', np.full((11, 12), 255))
    save_label_map(folder / f'{IDS[2]}.png', np.zeros((11, 12)))
    with pytest.raises(SystemExit, match='error: 3 of 3 masks are missing'):
        run('--images', root / 'images')
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for line, name, text in zip(
            lines, IDS, ('There is no mask', 'holds void', 'height x width')):
        assert name in line and text in line
    assert not (root / 'results.tgz').exists()


def test_missing_image_and_value(run, root, capsys):
    save_label_map(root / 'pred' / 'SegmentationClass' / f'{IDS[0]}.png',
                   np.full((10, 12), 21))
    (root / 'images' / f'{IDS[1]}.jpg').unlink()
    with pytest.raises(SystemExit, match='error: 2 of 3'):
        run('--images', root / 'images')
    assert 'value 21' in capsys.readouterr().out


def test_list_must_be_there(run, root):
    (root / 'test.txt').unlink()
    with pytest.raises(SystemExit, match='There is no list'):
        run()
