# Copyright (c) mmktse authors. All rights reserved.
import os
import os.path as osp
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.registry import METRICS, MODELS
from mmseg.evaluation import IoUMetric
from PIL import Image
from torch.nn.functional import interpolate

from mmktse.evaluation import CRFIoUMetric
from mmktse.seeds import color_map

META = dict(
    classes=('background', 'cat', 'dog', 'cow'),
    palette=[[0, 0, 0], [9, 8, 7], [1, 2, 3], [4, 5, 6]])
# The values of BECO.
CRF = dict(
    type='mmktse.DenseCRFRefiner',
    num_iters=10,
    gaussian_sxy=1,
    gaussian_compat=3,
    bilateral_sxy=67,
    bilateral_srgb=3,
    bilateral_compat=4)
PAR = dict(type='mmktse.PARRefiner', num_iters=2)
TWO_PROCESSES = """
import sys
sys.path[:0] = {path!r}
if __name__ == '__main__':
    import os
    import torch.distributed as dist
    import test_crf_iou_metric as test
    os.chdir({root!r})
    dist.init_process_group('gloo')
    rank = dist.get_rank()
    # As a sampler does it: the first image fills up the last batch.
    # Each its own images, as they are written.
    os.mkdir(str(rank))
    samples = test.make_samples(str(rank))
    samples = [*samples, samples[0]][rank::2]
    metric = test.CRFIoUMetric(test.PAR, num_workers=0)
    metrics = test.measure(metric, samples, 5)
    if rank == 0:
        print('metrics', dict(metrics))
"""


def make_samples(root, count=5):
    """Predictions of images of different sizes, with their truths."""
    samples = []
    for i in range(count):
        rng = np.random.default_rng(i)
        size = 24 + 2 * i, 40 - 3 * i
        path = osp.join(root, f'{i}.png')
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)
        coarse = torch.from_numpy(rng.normal(size=(1, 4, 5, 6)))
        logits = interpolate(4 * coarse, size, mode='bilinear')[0].float()
        truth = torch.from_numpy(rng.integers(0, 4, size))
        truth[0] = 255
        samples.append(
            dict(
                img_path=path,
                seg_logits=dict(data=logits),
                pred_sem_seg=dict(data=logits.argmax(0, keepdim=True)),
                gt_sem_seg=dict(data=truth[None])))
    return samples


def measure(metric, samples, size):
    metric.dataset_meta = META
    for i in range(0, len(samples), 2):
        metric.process({}, samples[i:i + 2])
    return metric.evaluate(size)


def serial(samples, refiner):
    """The samples with labels of the refiner, one after the other."""
    refine = MODELS.build(refiner)
    refined = []
    for sample in samples:
        image = np.array(Image.open(sample['img_path']))
        scores = sample['seg_logits']['data'].softmax(0).numpy()
        label = torch.from_numpy(refine(image, scores).argmax(0))
        refined.append(dict(sample, pred_sem_seg=dict(data=label[None])))
    return refined


@pytest.mark.parametrize('refiner, num_workers', [(PAR, 0), (PAR, 1), (CRF, 0),
                                                  (CRF, 2)])
def test_equals_the_serial_refinement(tmp_path, refiner, num_workers):
    if refiner is CRF:
        pytest.importorskip('pydensecrf')
    samples = make_samples(str(tmp_path))
    refined = serial(samples, refiner)
    assert any(
        not torch.equal(a['pred_sem_seg']['data'], b['pred_sem_seg']['data'])
        for a, b in zip(samples, refined))
    stock = IoUMetric()
    want = measure(stock, refined, len(samples))
    metric = METRICS.build(
        dict(
            type='mmktse.CRFIoUMetric',
            refiner=refiner,
            num_workers=num_workers,
            output_dir=str(tmp_path / 'out')))
    assert measure(metric, samples, len(samples)) == want
    for sample in refined:
        name = osp.basename(sample['img_path'])
        image = Image.open(tmp_path / 'out' / name)
        np.testing.assert_array_equal(
            np.array(image), sample['pred_sem_seg']['data'][0])
        assert image.getpalette() == color_map(
            META['palette']).ravel().tolist()
    # A sampler fills up the last batch; MMEngine drops the last results.
    assert measure(metric, [*samples, samples[0]], len(samples)) == want


def test_two_processes_give_the_figures_of_one(tmp_path):
    samples = make_samples(str(tmp_path))
    want = measure(CRFIoUMetric(PAR, num_workers=0), samples, len(samples))
    script = tmp_path / 'run.py'
    script.write_text(
        TWO_PROCESSES.format(
            path=[osp.dirname(__file__), *sys.path], root=str(tmp_path)))
    done = subprocess.run([
        sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
        f'--master_port={20000 + os.getpid() % 20000}',
        str(script)
    ],
                          capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f'metrics {dict(want)}' in done.stdout


def test_test_set_without_truth(tmp_path):
    samples = make_samples(str(tmp_path), 2)
    for sample in samples:
        del sample['gt_sem_seg']
    metric = CRFIoUMetric(
        PAR, num_workers=0, output_dir=str(tmp_path / 'out'), format_only=True)
    assert measure(metric, samples, 2) == {}
    names = [path.name for path in (tmp_path / 'out').iterdir()]
    assert sorted(names) == ['0.png', '1.png']


def test_image_of_another_size_is_named(tmp_path):
    samples = make_samples(str(tmp_path), 1)
    Image.new('RGB', (3, 3)).save(tmp_path / '0.png')
    metric = CRFIoUMetric(PAR, num_workers=0)
    with pytest.raises(ValueError, match='0.png is not of'):
        measure(metric, samples, 1)
