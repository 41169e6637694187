# Copyright (c) mmktse authors. All rights reserved.
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import save_checkpoint
from mmseg.apis import inference_model, init_model
from PIL import Image

from mmktse.evaluation import score_refinement
from mmktse.seeds import load_label_map

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'tests' / 'data' / 'tiny_segmentor.py'
META = dict(
    classes=('background', 'cat', 'dog'),
    palette=[[0, 0, 0], [200, 0, 0], [0, 0, 200]])
SIZES = {'a.jpg': (70, 50), 'b.PNG': (64, 64), 'sub/c.jpeg': (33, 80)}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Images, and a network with random weights that knows its classes."""
    root = tmp_path_factory.mktemp('predict')
    for name, size in SIZES.items():
        path = root / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(0).integers(0, 256, (*size, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    torch.manual_seed(0)  # labels of several classes
    model = Config.fromfile(CONFIG).model
    model.decode_head.num_classes = 3
    with DefaultScope.overwrite_default_scope('mmseg'):
        net = MODELS.build(model)
        net.init_weights()
    save_checkpoint(
        dict(state_dict=net.state_dict(), meta=dict(dataset_meta=META)),
        str(root / 'net.pth'))
    return root


@pytest.fixture
def predict(root, monkeypatch, tmp_path):
    main = runpy.run_path(str(ROOT / 'tools' / 'predict.py'))['main']
    # Refined and written in this process.
    monkeypatch.setattr(score_refinement, 'share_of_cores', lambda: 0)

    def run(*words, images='images', out='out'):
        monkeypatch.setattr(sys, 'argv', [
            'predict.py',
            str(CONFIG),
            str(root / 'net.pth'),
            str(root / images), '--out',
            str(tmp_path / out), *map(str, words)
        ])
        main()
        return masks(tmp_path / out)

    return run


def masks(folder):
    root = folder / 'SegmentationClass'
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob('*.png'))
    }


def error(predict, *words, **kwargs):
    with pytest.raises(SystemExit) as info:
        predict(*words, **kwargs)
    assert info.value.code.startswith('error: ')
    assert '\n' not in info.value.code
    return info.value.code


def test_api_of_mmseg_gives_the_same_mask(predict, root, tmp_path):
    predict('--no-overlay')
    cfg = Config.fromfile(CONFIG)
    cfg.model.decode_head.num_classes = 3
    cfg.test_pipeline = cfg.test_dataloader.dataset.pipeline
    model = init_model(cfg, str(root / 'net.pth'), device='cpu')
    for name in SIZES:
        mask = inference_model(model, str(root / 'images' / name))
        file = (tmp_path / 'out/SegmentationClass' / name).with_suffix('.png')
        np.testing.assert_array_equal(mask.pred_sem_seg.data[0],
                                      load_label_map(str(file)))


def test_folder_of_images(predict, tmp_path):
    done = predict()
    assert list(done) == ['a.png', 'b.png', 'sub/c.png']
    for name, size in zip(done, SIZES.values()):
        path = tmp_path / 'out' / 'SegmentationClass' / name
        label = load_label_map(path)
        assert label.shape == size and label.max() < 3
        assert Image.open(path).getpalette()[:9] == sum(META['palette'], [])
        overlay = tmp_path / 'out' / 'overlay' / name
        assert Image.open(overlay.with_suffix('.jpg')).size == size[::-1]
    record = json.loads((tmp_path / 'out' / 'predictions.json').read_text())
    assert record['classes'] == ['background', 'cat', 'dog']
    assert record['tta'] is False and record['refiner'] is None


def test_rerun_goes_on_and_other_settings_are_refused(predict, tmp_path):
    whole = predict()
    folder = tmp_path / 'out' / 'SegmentationClass'
    (folder / 'a.png').write_bytes(b'kept')
    (folder / 'sub' / 'c.png').unlink()
    (tmp_path / 'out' / 'overlay' / 'b.jpg').unlink()
    (folder / '.a.png.1.tmp').write_bytes(b'')
    again = predict()
    assert again == dict(whole, **{'a.png': b'kept'})
    assert (tmp_path / 'out' / 'overlay' / 'b.jpg').is_file()
    assert not list(folder.glob('.*.tmp'))
    message = error(predict, '--tta')
    assert 'other settings' in message and 'tta was False' in message
    assert predict() == again  # there is nothing to do


def test_views_and_crf(predict, monkeypatch):
    pytest.importorskip('pydensecrf')
    plain = predict('--no-overlay', out='plain')
    views = predict('--no-overlay', '--tta', out='views')
    refined = predict('--no-overlay', '--tta', '--crf', out='refined')
    assert list(plain) == list(views) == list(refined)
    assert plain != views != refined


def test_ids_and_single_image(predict, root, tmp_path):
    whole = predict('--no-overlay')
    (tmp_path / 'ids.txt').write_text('sub/c 1\nb\n')
    some = predict('--no-overlay', '--ids', tmp_path / 'ids.txt', out='some')
    assert some == {name: whole[name] for name in ('b.png', 'sub/c.png')}
    one = predict('--no-overlay', images='images/sub/c.jpeg', out='one')
    assert one == {'c.png': whole['sub/c.png']}
    (tmp_path / 'ids.txt').write_text('b\nx\ny\n')
    message = error(predict, '--ids', tmp_path / 'ids.txt', out='none')
    assert '2 of 3 ids' in message and 'x, y' in message
    assert not (tmp_path / 'none').exists()


def test_bad_input_is_one_sentence(predict, root, tmp_path):
    assert 'nowhere' in error(predict, images='nowhere')
    assert 'no list' in error(predict, '--ids', tmp_path / 'nowhere.txt')
    assert 'lies in' in error(predict, out=root / 'images' / 'out')
    (root / 'broken').mkdir()
    (root / 'broken' / 'torn.jpg').write_bytes(
        (root / 'images' / 'a.jpg').read_bytes()[:600])
    assert 'torn.jpg cannot be read' in error(predict, images='broken')


def test_cam_networks_are_refused(root, monkeypatch, tmp_path):
    main = runpy.run_path(str(ROOT / 'tools' / 'predict.py'))['main']
    cam = ROOT / 'configs/cam/cam_mobilenetv2_custom.py'
    monkeypatch.setattr(
        sys, 'argv',
        ['predict.py',
         str(cam), 'x.pth', 'y', '--out',
         str(tmp_path)])
    with pytest.raises(SystemExit, match='make_pseudo_labels.py'):
        main()


def test_two_processes(predict, root, tmp_path):
    """With workers of their own; each image is written by one of them."""
    whole = predict('--tta')
    done = subprocess.run([
        'bash',
        str(ROOT / 'tools/dist_test.sh'),
        str(CONFIG),
        str(root / 'net.pth'),
        str(root / 'images'), '--tta', '--out',
        str(tmp_path / 'two')
    ],
                          env=dict(
                              os.environ,
                              TOOL='predict.py',
                              GPUS='2',
                              PORT=str(20000 + os.getpid() % 20000),
                              PYTHON=sys.executable,
                              OMP_NUM_THREADS='1'),
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert masks(tmp_path / 'two') == whole
    assert 'predictions/written: 3 ' in done.stdout
    overlays = (tmp_path / 'two' / 'overlay').rglob('*.jpg')
    assert len(list(overlays)) == 3
