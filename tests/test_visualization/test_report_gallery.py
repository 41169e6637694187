# Copyright (c) mmktse authors. All rights reserved.
import re

import numpy as np
import pytest
from PIL import Image

from mmktse.visualization.report_gallery import pictures
from mmktse.visualization.report_run import Run


@pytest.fixture
def run(dataset, tmp_path):
    return Run(
        dataset=dataset,
        folder=tmp_path / 'run',
        seed_folder=tmp_path / 'run',
        manifest={},
        metrics={},
        split='train',
        statistics=None,
        max_width=64,
        hide_images=False)


def alts(run, sample, c):
    return re.findall('alt="([^"]*)"', ''.join(pictures(run, sample, c)))


def test_image_cam_label_and_truth(run, dataset):
    # The label map of this image misses its first row: of 48 pixels void
    # has lost 1 and each class 2 of 12.
    got = alts(run, dataset.samples[1], 1)
    assert got[:2] == ['Photograph im1', 'CAM of left in im1']
    assert got[2].startswith('Label of im1: background')
    assert 'left 20.8' in got[2] and 'ignored' not in got[2]
    assert got[3].startswith('Truth of im1: ')
    assert 'left 25' in got[3] and 'ignored 2.1' in got[3]


def test_all_classes_and_background(run, dataset):
    sample = dataset.samples[0]
    assert alts(run, sample, None)[1] == 'CAMs of all classes in im0'
    assert alts(run, sample, 0)[1] == 'No CAM of background in im0'


def test_what_is_not_there_or_not_shown(run, dataset):
    sample = dataset.samples[0]
    hidden = alts(run._replace(hide_images=True), sample, 1)
    assert [alt.split()[0] for alt in hidden] == ['CAM', 'Label']
    bare = alts(run._replace(seed_folder=None), sample, 1)
    assert [alt.split()[0] for alt in bare] == ['Photograph', 'Label', 'Truth']


def test_image_of_another_size(run, dataset):
    sample = dataset.samples[0]
    Image.fromarray(np.zeros((3, 3, 3), np.uint8)).save(sample['img_path'])
    with pytest.raises(ValueError, match='im0.jpg has height x width 3x3'):
        list(pictures(run, sample, 1))
