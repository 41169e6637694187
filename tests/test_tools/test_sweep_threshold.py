# Copyright (c) mmktse authors. All rights reserved.
import json
import os.path as osp
import runpy
import sys

import numpy as np
import pytest

from mmktse.datasets.synthetic import generate_synthetic_voc
from mmktse.evaluation import load_choice
from mmktse.seeds import load_label_map, save_seed
from mmktse.utils import json_sha256
from mmktse.visualization import load_curve

ROOT = osp.join(osp.dirname(__file__), '../..')
CONFIG = osp.join(ROOT, 'configs/cam/cam_efficientnet-lite0_custom.py')
TOOL = osp.join(ROOT, 'tools/analysis_tools/sweep_threshold.py')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Six images; the objects score .9 in the first four, else .4, above a
    background of .25."""
    folder = tmp_path_factory.mktemp('sweep')
    root = generate_synthetic_voc(str(folder / 'data'), 6, 1, 48)
    ids = (folder / 'data/ImageSets/train.txt').read_text().split()
    for number, img_id in enumerate(ids):
        truth = load_label_map(f'{root}/SegmentationClass/{img_id}.png')
        present = np.setdiff1d(truth, [0, 255])
        high = .9 if number < 4 else .4
        cam = np.where(truth == present[:, None, None], high, .25)
        save_seed(folder / f'run/seeds/{img_id}.npz', cam, present - 1)
    # An id may carry the suffix of its image.
    last = [f'{img_id}.jpg' for img_id in ids[4:]]
    for name, part in (('first', ids[:4]), ('last', last)):
        (folder / f'data/ImageSets/{name}.txt').write_text('\n'.join(part))
    return folder


@pytest.fixture
def run(monkeypatch, data):

    def call(*argv, folder='run'):
        options = ['--cfg-options', f'data_root={data}/data']
        argv = [TOOL, CONFIG, data / folder, *argv, *options]
        monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
        runpy.run_path(TOOL, run_name='__main__')

    return call


def test_choice_on_a_split(run, data, tmp_path, capsys):
    out = tmp_path / 'threshold.json'
    run('--split', 'ImageSets/first.txt', '--out', out, '--workers', 0)
    text = capsys.readouterr().out
    choice = load_choice(out)
    # The lowest of those between background and objects.
    assert (choice['threshold'], choice['mIoU']) == (.25, 100)
    assert choice['source'] == 'best on first.txt (4 images)'
    assert choice['split'] == 'ImageSets/first.txt'
    ids = (data / 'data/ImageSets/first.txt').read_text().split()
    assert choice['ids'] == ids
    assert choice['ids_sha256'] == json_sha256(ids)
    assert choice['seeds'] == dict(origin='unknown')
    assert choice['curve']['threshold'] == [i / 100 for i in range(101)]
    assert '* ' in text
    assert ('Threshold 0.25, best on first.txt (4 images): mIoU 100.00; '
            'within 0.5 points of it from 0.25 to 0.89') in text
    assert 'end of the range' not in text
    # What plots curves reads it too.
    assert load_curve(str(out))['threshold'] == .25


def test_split_by_its_path_and_other_thresholds(run, data, tmp_path, capsys):
    out = tmp_path / 'threshold.json'
    split = data / 'data/ImageSets/last.txt'
    run('--split', split, '--out', out, '--thresholds', '0.1:0.3:0.05')
    choice = load_choice(out)
    assert choice['curve']['threshold'] == [.1, .15, .2, .25, .3]
    assert (choice['split'], choice['threshold']) == (str(split), .25)
    run('--thresholds', '0.3:0.3:1')
    assert 'best on train_labels.txt (6 images)' in capsys.readouterr().out
    run('--thresholds', '0.1:0.2:0.1')
    assert 'end of the range' in capsys.readouterr().out


@pytest.mark.parametrize('text', ['0.1', '0.3:0.1:0.1', '0:2:1', '0:1:0'])
def test_bad_range(run, capsys, text):
    with pytest.raises(SystemExit):
        run('--thresholds', text)
    assert 'must read LO:HI:STEP' in capsys.readouterr().err


def test_bad_split(run, tmp_path):
    with pytest.raises(SystemExit, match='There is no list gone.txt or .*dat'):
        run('--split', 'gone.txt')
    path = tmp_path / 'list.txt'
    path.write_text('# nothing\n')
    with pytest.raises(SystemExit, match='list.txt lists no image'):
        run('--split', path)
    path.write_text('syn_train_00000\nforeign cat\n')
    with pytest.raises(SystemExit, match='1 of the 2 .* foreign, are not in'):
        run('--split', path)
    with pytest.raises(SystemExit, match='6 of the 6 images .* have no seed'):
        run(folder='gone')


def test_manifest_names_the_seeds(run, data, tmp_path):
    seeds = dict(checkpoint_sha256='x')
    manifest = dict(complete=True, settings=dict(seeds=seeds), info={})
    path = data / 'run/manifest.json'
    path.write_text(json.dumps(manifest))
    run('--out', tmp_path / 't.json')
    path.unlink()
    assert load_choice(tmp_path / 't.json')['seeds'] == seeds
