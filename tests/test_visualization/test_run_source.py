# Copyright (c) mmktse authors. All rights reserved.
import shutil

import numpy as np
import pytest

from mmktse.visualization.run_source import (RunSource, image_iou,
                                             select_samples)


def test_image_iou():
    truth = np.array([[0, 0, 1, 1, 255]], np.uint8)
    assert image_iou(truth, truth) == 100
    label = np.array([[0, 1, 1, 255, 2]], np.uint8)
    # Left: 0 0 1 against 0 1 1.
    assert image_iou(label, truth) == 50
    # A class that only one of the two has counts as 0.
    other = np.array([[0, 0, 2, 2, 0]], np.uint8)
    assert image_iou(other, truth) == pytest.approx(100 / 3)
    assert np.isnan(image_iou(label, np.full_like(label, 255)))
    with pytest.raises(ValueError, match='differ in size'):
        image_iou(label, truth.T)


def test_parse(dataset, tmp_path):
    folder = f'{tmp_path}/run'
    run = RunSource.parse(f'my run={folder}')
    assert (run.title, run.folder, run.show) == ('my run', folder, 'label')
    assert RunSource.parse(f'a={folder}@cam').show == 'cam'
    assert RunSource.parse(f'a={folder}@.25').show == .25
    shutil.copytree(folder, f'{folder}@2')
    assert RunSource.parse(f'a={folder}@2').show == 'label'
    for text in (folder, f'={folder}', 'a='):
        with pytest.raises(ValueError, match='must read'):
            RunSource.parse(text)
    for show in ('heat', '1.5', 'nan'):
        with pytest.raises(ValueError, match='show must be'):
            RunSource.parse(f'a={folder}@{show}')
    with pytest.raises(FileNotFoundError, match='does not exist'):
        RunSource.parse(f'a={tmp_path}/none@cam')


def test_labels_of_a_run(dataset, tmp_path):
    folder = str(tmp_path / 'run')
    stored = RunSource('a', folder).label('im1')
    assert (stored[0] == 0).all() and (stored[1:, 0] == 1).all()
    high = RunSource('a', folder, .5).label('im1')
    low = RunSource('a', folder, .1).label('im1')
    assert high[0, 0] == 0 and low[0, 0] == 1 and low[0, 7] == 2
    assert RunSource('a', folder, 'cam').label('im1') is None
    # Folders that hold the files themselves.
    assert RunSource('a', f'{folder}/seeds', 'cam').has('im2')
    flat = RunSource('a', f'{folder}/SegmentationClass')
    np.testing.assert_array_equal(flat.label('im1'), stored)
    assert not flat.has('im3')


def test_select_samples(dataset, tmp_path):

    def names(**kwargs):
        return [s['img_id'] for s in select_samples(dataset, **kwargs)]

    folder = str(tmp_path / 'run')
    runs = [RunSource('c', folder, 'cam'), RunSource('a', folder)]
    assert names(num=2, order='worst', runs=runs) == ['im2', 'im1']
    assert names(num=1, order='best', runs=runs) == ['im0']
    # The CAMs at 0.1 hold what the label maps miss.
    runs += [RunSource('b', folder, .1)]
    assert names(num=2, order='gains', runs=runs) == ['im2', 'im1']
    assert names(num=2, order='losses', runs=runs[::-1]) == ['im2', 'im1']
    runs.pop()
    assert names(img_ids=['im2', 'im0']) == ['im2', 'im0']
    assert names(num=9) == ['im0', 'im1', 'im2']
    picks = [tuple(names(num=1, seed=seed)) for seed in range(20)]
    assert len(set(picks)) == 3 and tuple(names(num=1, seed=3)) == picks[3]
    (tmp_path / 'run/SegmentationClass/im0.png').unlink()
    assert names(runs=runs) == ['im1', 'im2']
    # Images without truth cannot be ranked.
    dataset.samples[2]['seg_map_path'] = None
    assert names(order='worst', runs=runs) == ['im1']
    dataset.samples[1]['seg_map_path'] = None
    with pytest.raises(ValueError, match='needs masks'):
        names(order='best', runs=runs)


def test_select_samples_errors(dataset, tmp_path):
    with pytest.raises(ValueError, match='im7 is not an image'):
        select_samples(dataset, img_ids=['im1', 'im7'])
    cams = RunSource('a', str(tmp_path / 'run'), 'cam')
    with pytest.raises(ValueError, match='needs a run with label maps'):
        select_samples(dataset, order='worst', runs=[cams])
    labels = RunSource('b', str(tmp_path / 'run'))
    with pytest.raises(ValueError, match='needs two runs with label maps'):
        select_samples(dataset, order='gains', runs=[cams, labels])
    (tmp_path / 'empty').mkdir()
    empty = RunSource('nothing', str(tmp_path / 'empty'))
    with pytest.raises(FileNotFoundError, match='"nothing" has none of the 3'):
        select_samples(dataset, runs=[cams, empty])


def test_runs_without_a_common_image(dataset, tmp_path):
    one, two = tmp_path / 'one', tmp_path / 'two'
    for folder, img_id in ((one, 'im0'), (two, 'im1')):
        folder.mkdir()
        shutil.copy(tmp_path / f'run/SegmentationClass/{img_id}.png', folder)
    runs = [RunSource('1', str(one)), RunSource('2', str(two))]
    with pytest.raises(ValueError, match='no image that all the runs have'):
        select_samples(dataset, runs=runs)
    dataset.samples = []
    with pytest.raises(ValueError, match='data set is empty'):
        select_samples(dataset)
