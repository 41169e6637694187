# Copyright (c) mmktse authors. All rights reserved.
import json
import os
import os.path as osp
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmktse.engine.label_maker import (PseudoLabelMaker, network_origin,
                                       stored_origin)
from mmktse.models.refiners import PARRefiner
from mmktse.seeds import load_label_map, save_label_map, save_seed

IDS = tuple('abcdef')
# A process that labels the seeds of a folder and kills itself in the middle
# of writing: the n-th finished file never gets its name.
KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
import test_label_maker as test
replace, left = os.replace, {after}
def replace_or_die(*args):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    replace(*args)
os.replace = replace_or_die
test.label({root!r}, {out!r})
"""


class Listing(SimpleNamespace):

    def __len__(self):
        return len(self.ids)

    def get_data_info(self, index):
        name = self.ids[index]
        return dict(
            img_id=name,
            img_path=f'{self.root}/{name}.png',
            seg_map_path=f'{self.root}/gt/{name}.png',
            gt_label=[0, 2])


def listing(root, **kwargs):
    return Listing(
        **{
            'root': root,
            'ids': IDS,
            'metainfo': dict(classes=('cat', 'dog', 'cow')),
            **kwargs
        })


def make_maker(root, out, data=None, **kwargs):
    settings = dict(
        num_workers=0,
        ignore_threshold=.2,
        refiner=dict(type='PARRefiner', num_iters=2))
    settings.update(kwargs)
    maker = PseudoLabelMaker(
        out,
        data or listing(root),
        stored_origin(root),
        seed_folder=root,
        **settings)
    assert maker.start() == []
    return maker


def label(root, out, data=None, **kwargs):
    return make_maker(root, out, data, **kwargs).make_labels()


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*')) if path.is_file()
    }


@pytest.fixture
def root(tmp_path):
    for i, name in enumerate(IDS):
        rng = np.random.default_rng(i)
        picture = rng.integers(0, 256, (24, 30, 3), np.uint8)
        Image.fromarray(picture).save(tmp_path / f'{name}.png')
        cam = rng.random((2, 24, 30), np.float32)
        save_seed(tmp_path / 'seeds' / f'{name}.npz', cam, np.array([0, 2]))
        # The truth is what threshold .4 gives.
        truth = np.where(cam.max(0) > .4, np.array([1, 3])[cam.argmax(0)], 0)
        save_label_map(tmp_path / 'gt' / f'{name}.png', truth)
    return tmp_path


@pytest.mark.parametrize('after', [4, 7])
def test_killed_run_ends_with_the_same_bytes(root, after):
    label(str(root), root / 'whole')
    assert len(content(root / 'whole')) == len(IDS) + 1
    code = KILLED.format(
        path=[osp.dirname(__file__), *sys.path],
        after=after,
        root=str(root),
        out=str(root / 'killed'))
    process = subprocess.run([sys.executable, '-c', code],
                             capture_output=True,
                             text=True)
    assert process.returncode == -signal.SIGKILL, process.stderr
    manifest = root / 'killed' / 'manifest.json'
    assert not json.loads(manifest.read_text())['complete']
    assert len(list((root / 'killed').rglob('.*.tmp'))) == 1
    label(str(root), root / 'killed')
    assert content(root / 'killed') == content(root / 'whole')


def test_process_pool_gives_the_same_bytes(root):
    label(str(root), root / 'one')
    label(str(root), root / 'two', num_workers=2)
    assert content(root / 'one') == content(root / 'two')


class Killed:
    """Stands for a worker that the system kills."""

    def prepare(self):
        pass

    def __call__(self, sample):
        os.kill(os.getpid(), signal.SIGKILL)


def test_killed_worker_ends_the_run(root, monkeypatch):
    maker = make_maker(str(root), root / 'out', num_workers=2)
    monkeypatch.setattr(maker, '_labeller', lambda threshold: Killed())
    with pytest.raises(RuntimeError, match='same command goes on'):
        maker.make_labels()
    assert not maker.manifest.complete


def test_labels_are_made_beside_other_work(root):
    """As the hook does it while the network runs; the bytes are the same."""
    label(str(root), root / 'after')
    maker = make_maker(str(root), root / 'beside', num_workers=1)
    done = root / 'beside' / 'SegmentationClass'
    for name in IDS[:4]:
        maker.submit(name)
    for _ in range(600):
        if list(done.glob('*.png')):
            break
        time.sleep(.1)
    assert list(done.glob('*.png'))
    maker.make_labels()
    assert content(root / 'beside') == content(root / 'after')


def test_failing_label_is_reported_while_the_network_runs(root):
    Image.new('RGB', (3, 3)).save(root / 'a.png')
    maker = make_maker(str(root), root / 'out', num_workers=1)
    with pytest.raises(ValueError, match='not of the size of its seed'):
        for _ in range(600):
            maker.submit('a')
            time.sleep(.1)
    with pytest.raises(ValueError, match='not of the size of its seed'):
        maker.make_labels()


def test_refiner_that_fails_in_a_worker_says_why(root, monkeypatch):
    maker = make_maker(str(root), root / 'out', num_workers=1)
    maker.refiner = dict(type='PARRefiner', no_such_setting=1)
    with pytest.raises(TypeError, match='no_such_setting'):
        maker.make_labels()


def test_mixed_precision_is_another_origin(root):
    cfg = Config(
        dict(model=dict(), test_dataloader=dict(dataset=dict()), test_cfg={}))
    (root / 'x.pth').write_bytes(b'weights')
    full = network_origin(cfg, root / 'x.pth')['settings']
    cfg.test_cfg = dict(fp16=True)
    half = network_origin(cfg, root / 'x.pth')['settings']
    assert full != half == dict(full, fp16=True)


def test_what_is_done_is_not_done_again(root):
    out = root / 'out'
    label(str(root), out)
    done = out / 'SegmentationClass' / 'a.png'
    done.write_bytes(b'kept')
    lost = out / 'SegmentationClass' / 'b.png'
    expected = lost.read_bytes()
    lost.unlink()
    label(str(root), out)
    assert done.read_bytes() == b'kept'
    assert lost.read_bytes() == expected


def test_confidence_masks_lie_beside_the_labels(root):
    out = root / 'out'
    label(str(root), out, confidence_share=.5)
    masks = sorted((out / 'Confidence').iterdir())
    assert [path.stem for path in masks] == list(IDS)
    mask = np.array(Image.open(masks[0]))
    labels = load_label_map(out / 'SegmentationClass' / 'a.png')
    assert set(np.unique(mask)) == {0, 255}
    for value in np.unique(labels):
        pixels = mask[labels == value]
        expected = 0 if value == 255 else pixels.size // 2
        assert (pixels > 0).sum() == expected
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['settings']['labels']['confidence_share'] == .5
    # The labels are those without masks.
    label(str(root), root / 'plain')
    assert not (root / 'plain' / 'Confidence').exists()
    plain = content(root / 'plain' / 'SegmentationClass')
    assert plain == content(out / 'SegmentationClass')
    # An image is done when both files are there.
    whole = content(out)
    masks[1].unlink()
    (out / 'SegmentationClass' / 'c.png').unlink()
    label(str(root), out, confidence_share=.5)
    assert content(out) == whole
    with pytest.raises(ValueError, match='labels.confidence_share was 0.5'):
        label(str(root), out)
    with pytest.raises(ValueError, match='must lie in'):
        label(str(root), root / 'none', confidence_share=2)


def test_weights_of_a_refiner_are_settings(root, monkeypatch):
    label(str(root), root / 'out')
    monkeypatch.setattr(PARRefiner, 'sha256', 'other weights')
    with pytest.raises(ValueError, match='refiner_sha256 was None'):
        label(str(root), root / 'out')


def test_other_settings_are_refused(root):
    label(str(root), root / 'out')
    with pytest.raises(ValueError, match='labels.threshold was 0.3'):
        label(str(root), root / 'out', threshold=.5)
    with pytest.raises(ValueError, match='dataset.labels_sha256'):
        label(str(root), root / 'out', listing(str(root), ids=IDS[::-1]))


def test_oracle_threshold_is_found_and_named(root):
    out = root / 'out'
    threshold = label(
        str(root),
        out,
        threshold_source='oracle',
        ignore_threshold=None,
        refiner=None)
    assert threshold == pytest.approx(.4, abs=.011)
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['threshold'] == threshold
    assert manifest['settings']['labels']['threshold'] == 'oracle'
    # Scores are stored in half precision.
    truth = load_label_map(root / 'gt' / 'a.png')
    found = load_label_map(out / 'SegmentationClass' / 'a.png')
    assert (truth == found).mean() > .98


def test_manifest_carries_the_origin_of_the_seeds(root):
    checkpoint = root / 'x.pth'
    checkpoint.write_bytes(b'weights')
    cfg = Config(
        dict(model=dict(type='A'), test_dataloader=dict(dataset=dict())))
    origin = network_origin(cfg, checkpoint)
    first = PseudoLabelMaker(root / 'first', listing(str(root)), origin)
    assert first.start() == list(range(len(IDS)))
    assert stored_origin(root / 'first')['settings'] == dict(
        origin['settings'], cam_source='label')
    checkpoint.write_bytes(b'other')
    other = PseudoLabelMaker(root / 'first', listing(str(root)),
                             network_origin(cfg, checkpoint))
    with pytest.raises(ValueError, match='seeds.checkpoint_sha256'):
        other.start()


def test_seeds_keep_where_their_classes_come_from(root):
    origin = dict(settings=dict(cam_source='prediction'), info={})
    with pytest.raises(ValueError, match='set cam_source to "prediction"'):
        PseudoLabelMaker(root / 'out', listing(str(root)), origin)
    PseudoLabelMaker(
        root / 'out', listing(str(root)), origin, cam_source='prediction')


def test_bad_input_is_named(root):
    Image.new('RGB', (7, 5)).save(root / 'c.png')
    with pytest.raises(ValueError, match='c.png is not of'):
        label(str(root), root / 'out')
    with pytest.raises(ValueError, match='more than once'):
        label(str(root), root / 'out2', listing(str(root), ids=('a', 'a')))
    with pytest.raises(ValueError, match='lower than'):
        label(str(root), root / 'out3', threshold=.1)
    assert not (root / 'out3').exists()


def test_too_many_classes_are_refused_before_the_network_runs(tmp_path):
    data = listing('x', metainfo=dict(classes=tuple(map(str, range(255)))))
    with pytest.raises(ValueError, match='255 classes.*at most 254'):
        PseudoLabelMaker(tmp_path / 'out', data, stored_origin(tmp_path))
    assert not (tmp_path / 'out').exists()
