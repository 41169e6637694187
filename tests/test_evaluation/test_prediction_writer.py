# Copyright (c) mmktse authors. All rights reserved.
import json

import numpy as np
import pytest
import torch
from mmengine.registry import METRICS
from PIL import Image

from mmktse.evaluation import claim_folder, is_predicted
from mmktse.models.refiners import PARRefiner
from mmktse.seeds import load_label_map

META = dict(
    classes=['background', 'cat', 'dog'],
    palette=[[0, 0, 0], [200, 0, 0], [0, 0, 200]])


@pytest.fixture
def samples(tmp_path):
    samples = []
    for name in ('a.png', 'sub/b.JPG'):
        rng = np.random.default_rng(0)
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(path)
        logits = torch.randn(3, 20, 30)
        samples.append(
            dict(
                img_path=str(path),
                seg_logits=dict(data=logits),
                pred_sem_seg=dict(data=logits.argmax(0, keepdim=True))))
    return samples


def write(samples, tmp_path, **kwargs):
    writer = METRICS.build(
        dict(
            dict(
                type='mmktse.PredictionWriter',
                out_dir=str(tmp_path / 'out'),
                image_dir=str(tmp_path / 'images'),
                num_workers=0), **kwargs))
    writer.dataset_meta = META
    for sample in samples:
        writer.process(None, [sample])
    return writer.evaluate(len(samples))


@pytest.mark.parametrize('num_workers', [0, 1])
def test_masks_and_overlays(samples, tmp_path, num_workers):
    refiner = dict(type='PARRefiner', num_iters=2) if num_workers else None
    metrics = write(
        samples, tmp_path, num_workers=num_workers, refiner=refiner)
    assert metrics == {'predictions/written': 2}
    for img_id, sample in zip(('a', 'sub/b'), samples):
        label = sample['pred_sem_seg']['data'][0].numpy()
        image = np.array(Image.open(sample['img_path']))
        if refiner:
            scores = sample['seg_logits']['data'].softmax(0).numpy()
            label = PARRefiner(num_iters=2)(image, scores).argmax(0)
        path = tmp_path / 'out' / 'SegmentationClass' / f'{img_id}.png'
        np.testing.assert_array_equal(load_label_map(path), label)
        assert Image.open(path).getpalette()[:9] == sum(META['palette'], [])
        overlay = Image.open(tmp_path / 'out' / 'overlay' / f'{img_id}.jpg')
        assert overlay.size == (30, 20)
        assert is_predicted(tmp_path / 'out', img_id, True)
    assert not list(tmp_path.rglob('*.tmp'))


def test_overlay_has_the_colours_of_the_classes(samples, tmp_path):
    for sample, value in zip(samples, (1, 2)):
        sample['pred_sem_seg']['data'][:] = value
        Image.new('RGB', (30, 20)).save(sample['img_path'])
    write(samples, tmp_path)
    # Away from the name, which stands in a corner.
    colors = [
        np.array(Image.open(path))[15:, 20:].mean((0, 1))
        for path in sorted((tmp_path / 'out' / 'overlay').rglob('*.jpg'))
    ]
    assert colors[0][0] > 100 > colors[0][2] + 50
    assert colors[1][2] > 100 > colors[1][0] + 50


def test_crf_travels_to_the_workers(samples, tmp_path):
    pytest.importorskip('pydensecrf')
    refiner = dict(type='DenseCRFRefiner')
    masks = []
    for num_workers in (1, 0):
        write(
            samples,
            tmp_path,
            num_workers=num_workers,
            refiner=refiner,
            overlay=False)
        path = tmp_path / 'out/SegmentationClass/a.png'
        masks.append(path.read_bytes())
        path.unlink()
    assert masks[0] == masks[1]


def test_masks_alone(samples, tmp_path):
    write(samples, tmp_path, overlay=False)
    assert not (tmp_path / 'out' / 'overlay').exists()
    assert is_predicted(tmp_path / 'out', 'a', False)
    assert not is_predicted(tmp_path / 'out', 'a', True)
    assert not is_predicted(tmp_path / 'out', 'b', False)


def test_masks_of_other_settings_are_refused(tmp_path):
    settings = dict(tta=True, classes=('a', 'b'), refiner=None)
    claim_folder(tmp_path, dict(settings, tta=False))
    claim_folder(tmp_path, settings)  # there are no masks yet
    stored = json.loads((tmp_path / 'predictions.json').read_text())
    assert stored == dict(settings, classes=['a', 'b'])
    (tmp_path / 'SegmentationClass').mkdir()
    claim_folder(tmp_path, settings)
    with pytest.raises(ValueError, match='tta was True, is now False'):
        claim_folder(tmp_path, dict(settings, tta=False))
    with pytest.raises(ValueError, match='fp16 was None, is now True'):
        claim_folder(tmp_path, dict(settings, fp16=True))


@pytest.mark.parametrize('record', [None, '{'])
def test_masks_of_unknown_origin_are_refused(tmp_path, record):
    (tmp_path / 'SegmentationClass').mkdir()
    if record:
        (tmp_path / 'predictions.json').write_text(record)
    with pytest.raises(ValueError, match='no predictions.json that can be'):
        claim_folder(tmp_path, dict())
