# Copyright (c) mmktse authors. All rights reserved.
import json
import os.path as osp
import runpy
import sys

import numpy as np
import pytest
from PIL import Image

from mmktse.datasets.synthetic import generate_synthetic_voc
from mmktse.seeds import load_label_map, save_label_map, save_seed

ROOT = osp.join(osp.dirname(__file__), '../..')
CONFIG = osp.join(ROOT, 'configs/cam/cam_efficientnet-lite0_custom.py')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A tiny data set and a run whose CAMs are the truth, softened."""
    folder = tmp_path_factory.mktemp('tools')
    root = generate_synthetic_voc(str(folder / 'data'), 4, 1, 48)
    for img_id in (folder / 'data/ImageSets/train.txt').read_text().split():
        truth = load_label_map(f'{root}/SegmentationClass/{img_id}.png')
        present = np.setdiff1d(truth, [0, 255])
        cam = .9 * (truth == present[:, None, None])
        save_seed(folder / f'run/seeds/{img_id}.npz', cam, present - 1)
        save_label_map(folder / f'run/SegmentationClass/{img_id}.png', truth)
    return folder


@pytest.fixture
def run_tool(monkeypatch, data):

    def run(name, *argv, config=True):
        argv = [name, *map(str, argv)]
        if config:
            argv += ['--cfg-options', f'data_root={data}/data']
        monkeypatch.setattr(sys, 'argv', argv)
        runpy.run_path(osp.join(ROOT, 'tools', name), run_name='__main__')

    return run


def test_make_synthetic(run_tool, tmp_path):
    run_tool(
        'dataset_converters/make_synthetic.py',
        tmp_path,
        *'--num-train 2 --num-val 1 --size 48 --seed 3'.split(),
        config=False)
    marker = json.loads((tmp_path / 'synthetic.json').read_text())
    assert (marker['num_train'], marker['size'], marker['seed']) == (2, 48, 3)
    assert len(list((tmp_path / 'JPEGImages').iterdir())) == 3
    with pytest.raises(SystemExit, match='^error: .* other settings'):
        run_tool(
            'dataset_converters/make_synthetic.py', tmp_path, config=False)


def test_vis_cams(run_tool, data, tmp_path, capsys):
    out = tmp_path / 'cams.png'
    run_tool('analysis_tools/vis_cams.py', CONFIG, data / 'run', '--out', out,
             '--num', 2, '--threshold', .3)
    assert Image.open(out).format == 'PNG'
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/vis_cams.py', CONFIG, data / 'run', '--out',
                 out, '--labels', data / 'run', '--threshold', .3)
    assert 'not both' in capsys.readouterr().err


def test_label_gallery(run_tool, data, tmp_path, capsys):
    out = tmp_path / 'gallery.png'
    run = data / 'run'
    run_tool('analysis_tools/label_gallery.py', CONFIG, '--runs', f'a={run}',
             f'b={run}@cam', f'c={run}@0.3', '--out', out, '--order', 'worst',
             '--num', 3)
    three = Image.open(out).height
    run_tool('analysis_tools/label_gallery.py', CONFIG, '--runs', f'a={run}',
             '--ids', 'syn_train_00002', '--out', out)
    assert Image.open(out).height < three
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/label_gallery.py', CONFIG, '--runs',
                 f'a={run}_none', '--out', out)
    assert 'does not exist' in capsys.readouterr().err


def test_threshold_curve_and_summary(run_tool, data, tmp_path, capsys):
    out, tool = tmp_path / 'curve.png', 'analysis_tools/threshold_curve.py'
    run_tool(tool, f'my run={data}/run', '--out', out, '--config', CONFIG,
             '--save-json', tmp_path)
    saved = tmp_path / 'my_run.json'
    summary = json.loads(saved.read_text())
    # CAMs that are the truth reach 100 below .9 and nothing above.
    assert summary['oracle']['mIoU'] == summary['fixed']['mIoU'] == 100
    assert summary['curve']['recall'][-1] < 50
    # Measured earlier: no config is needed.
    out.unlink()
    run_tool(tool, f'old={saved}', '--out', out, config=False)
    assert out.exists()
    with pytest.raises(SystemExit):
        run_tool(tool, f'a={data}/run', '--out', out, config=False)
    assert 'needs --config' in capsys.readouterr().err

    out = tmp_path / 'summary.png'
    run_tool('analysis_tools/pipeline_summary.py', CONFIG, '--runs',
             f'CAM={data}/run@cam', f'labels={data}/run', '--scores',
             'seeds (train, oracle)=100', '--curves', f'a={saved}', '--num', 2,
             '--out', out)
    assert Image.open(out).format == 'PNG'


def test_report(run_tool, data, tmp_path, capsys):
    out, tool = tmp_path / 'report.html', 'analysis_tools/report.py'
    ids = (data / 'data/ImageSets/train.txt').read_text().split()
    classes = (data / 'data/classes.txt').read_text().splitlines()
    (data / 'run/manifest.json').write_text(
        json.dumps(
            dict(
                complete=True,
                settings=dict(dataset=dict(classes=classes)),
                info=dict(config=CONFIG),
                ids=ids,
                threshold=.3)))
    options = (tool, CONFIG, data / 'run', '--out', out)
    run_tool(*options, '--images-per-class', 1)
    shown = out.stat().st_size
    assert 'ImageSets/train_labels.txt' in out.read_text(encoding='utf-8')
    assert f'Wrote {out} ({shown / 1e6:.1f} MB)' in capsys.readouterr().out
    run_tool(*options, '--hide-images', '--max-width', 32)
    assert 'Photograph' not in out.read_text(encoding='utf-8')
    with pytest.raises(SystemExit, match='^error: max_width must be'):
        run_tool(*options, '--max-width', 1)


def test_plot_log(run_tool, tmp_path):
    log = tmp_path / 'work/20260101/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('{"loss": 1, "iter": 1, "step": 1}\n')
    out = tmp_path / 'log.png'
    run_tool(
        'analysis_tools/plot_log.py',
        f'a={tmp_path}/work',
        f'b={log}',
        '--out',
        out,
        '--keys',
        'loss',
        config=False)
    assert Image.open(out).format == 'PNG'
