# Copyright (c) mmktse authors. All rights reserved.
import pytest
from PIL import Image

from mmktse.visualization.label_gallery import gallery_row, save_label_gallery
from mmktse.visualization.run_source import RunSource


def test_gallery_row(dataset, tmp_path):
    folder = str(tmp_path / 'run')
    runs = [
        RunSource('stored', folder),
        RunSource('heat', folder, 'cam'),
        RunSource('low', folder, .1)
    ]
    row = gallery_row(dataset.samples[1], runs)
    titles = [panel.title for panel in row]
    assert titles[:2] == ['im1', 'truth']
    # Row 0 of im1 is missed: IoU 10/12 for both classes, 23/27 behind them.
    assert titles[2] == f'stored {100 * (2 * 10 / 12 + 23 / 27) / 3:.1f}'
    assert titles[3:] == ['heat', 'low 100.0']
    assert all(panel.image.shape == (6, 8, 3) for panel in row)


def test_what_is_missing_is_left_open(dataset, tmp_path):
    (tmp_path / 'run/SegmentationClass/im1.png').unlink()
    run = RunSource('stored', str(tmp_path / 'run'))
    sample = {**dataset.samples[1], 'seg_map_path': None}
    row = gallery_row(sample, [run])
    assert [panel.title for panel in row[1:]] == ['no truth', 'stored: none']
    assert row[1].image is None and row[2].image is None
    path = save_label_gallery(
        str(tmp_path / 'page.png'), dataset.samples, [run], title='three')
    assert Image.open(path).width > 300


def test_run_without_any_image_is_refused(dataset, tmp_path):
    (tmp_path / 'empty').mkdir()
    run = RunSource('empty', str(tmp_path / 'empty'))
    with pytest.raises(FileNotFoundError, match='"empty" has none of the 3'):
        save_label_gallery(str(tmp_path / 'page.png'), dataset.samples, [run])
    with pytest.raises(ValueError, match='at least one run'):
        save_label_gallery(str(tmp_path / 'page.png'), dataset.samples, [])
    assert not (tmp_path / 'page.png').exists()


def test_hidden_images(dataset, tmp_path):
    run = RunSource('stored', str(tmp_path / 'run'))
    shown = gallery_row(dataset.samples[1], [run])[2:]
    hidden = gallery_row(dataset.samples[1], [run], hide_image=True)
    assert [p.title for p in hidden] == [p.title for p in shown]
    # Where nothing is labelled, nothing of the image is left.
    assert (hidden[0].image == 230).all(-1).any()
    assert not (shown[0].image == 230).all(-1).any()
