# Copyright (c) mmktse authors. All rights reserved.
import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mmktse.evaluation import SeedMetric, count_seeds, evaluate_seeds
from mmktse.evaluation import seed_metric as module
from mmktse.seeds import save_label_map, save_seed

META = dict(classes=('cat', 'dog', 'cow'))


class _Listing(SimpleNamespace):

    def __len__(self):
        return len(self.samples)

    def get_data_info(self, index):
        return self.samples[index]


def _samples(folder, count=5):
    samples = []
    for i in range(count):
        rng = np.random.default_rng(i)
        mask = folder / f'{i}.png'
        save_label_map(mask, rng.choice([0, 1, 2, 255], (6, 8)))
        samples.append(
            dict(
                img_id=str(i),
                seg_map_path=str(mask),
                cam=torch.from_numpy(rng.random((2, 6, 8), np.float32)),
                cam_classes=torch.tensor([0, 1])))
    return samples


def _metric(**kwargs):
    metric = SeedMetric(**kwargs)
    metric.dataset_meta = META
    return metric


def test_reports_oracle_and_fixed(tmp_path):
    metric = _metric(fixed_threshold=.123)
    samples = _samples(tmp_path)
    metric.process(None, samples[:2])
    metric.process(None, samples[2:])
    result = metric.evaluate(5)
    assert set(result) == {
        f'seed/{which}/{key}'
        for which in ('oracle', 'fixed')
        for key in ('mIoU', 'threshold', 'precision', 'recall')
    }
    assert result['seed/fixed/threshold'] == .123
    assert result['seed/oracle/mIoU'] >= result['seed/fixed/mIoU'] > 0
    # A second evaluation starts anew.
    metric.process(None, samples[:1])
    assert metric.evaluate(1) != result


def test_stored_seeds_give_the_same(tmp_path):
    samples = _samples(tmp_path)
    metric = _metric()
    for sample in samples:
        sample['cam'] = sample['cam'].half().float()  # as stored
        save_seed(tmp_path / f'{sample["img_id"]}.npz', sample['cam'].numpy(),
                  sample['cam_classes'].numpy())
    metric.process(None, samples)
    rates = evaluate_seeds(tmp_path, _Listing(metainfo=META, samples=samples))
    for key, value in metric.evaluate(5).items():
        _, which, name = key.split('/')
        assert rates[which][name] == value
    assert len(rates['curve']['mIoU']) == 101


@pytest.fixture
def stored(tmp_path):
    samples = _samples(tmp_path)
    for sample in samples:
        save_seed(tmp_path / f'{sample["img_id"]}.npz', sample['cam'].numpy(),
                  sample['cam_classes'].numpy())
    return _Listing(metainfo=META, samples=samples)


def test_workers_give_exactly_the_same(tmp_path, stored, monkeypatch):
    alone = count_seeds(tmp_path, stored)
    pools = []
    pool = module.worker_pool

    def counted(num_workers, *args):
        pools.append(num_workers)
        return pool(num_workers, *args)

    monkeypatch.setattr(module, 'worker_pool', counted)
    # Few images are not worth a process.
    few = count_seeds(tmp_path, stored, num_workers=2)
    assert np.array_equal(few.counts, alone.counts) and not pools
    monkeypatch.setattr(module, '_WORTH_A_WORKER', 1)
    monkeypatch.setattr(module, '_CHUNK', 2)
    many = count_seeds(tmp_path, stored, num_workers=2)
    assert np.array_equal(many.counts, alone.counts) and pools == [2]
    assert alone.counts.sum() > 0


def test_lost_worker_is_one_sentence(monkeypatch):

    class Pool:

        def __init__(self, *args):
            self.map = self

        def __enter__(self):
            return self

        def __exit__(self, *args):
            pass

        def __call__(self, *args):
            raise module.BrokenProcessPool

    monkeypatch.setattr(module, 'worker_pool', Pool)
    with pytest.raises(RuntimeError, match='worker .* was killed'):
        with module._worker_map(2) as worker_map:
            worker_map(None, [])


def test_missing_seed_is_named(tmp_path, stored):
    (tmp_path / '3.npz').unlink()
    with pytest.raises(FileNotFoundError, match='no seed .*3.npz'):
        count_seeds(tmp_path, stored)


def test_missing_mask_is_named(tmp_path):
    sample = _samples(tmp_path, 1)[0]
    sample['seg_map_path'] = str(tmp_path / 'gone.png')
    with pytest.raises(FileNotFoundError, match='Image 0 has no mask'):
        _metric().process(None, [sample])
    del sample['seg_map_path']
    with pytest.raises(FileNotFoundError, match='Image 0 has no mask'):
        _metric().process(None, [sample])


def test_mask_may_be_absent(tmp_path):
    sample = _samples(tmp_path, 1)[0]
    truth = module.read_truth(sample, required=False)
    assert truth.shape == (6, 8) and set(np.unique(truth)) <= {0, 1, 2, 255}
    with pytest.raises(ValueError, match='only 1 classes'):
        module.read_truth(sample, (6, 8), 1, required=False)
    sample['seg_map_path'] = str(tmp_path / 'gone.png')
    assert module.read_truth(sample, required=False) is None
    assert module.read_truth(dict(img_id='x'), required=False) is None


def test_mask_of_another_size_is_named(tmp_path):
    sample = _samples(tmp_path, 1)[0]
    sample['cam'] = sample['cam'][:, :5]
    with pytest.raises(ValueError, match='0.png has height x width 6x8'):
        _metric().process(None, [sample])


def test_nan_is_refused(tmp_path):
    sample = _samples(tmp_path, 1)[0]
    sample['cam'][0, 0, 0] = float('nan')
    with pytest.raises(ValueError, match='NaN'):
        _metric().process(None, [sample])


def test_double_counting_is_refused(tmp_path):
    metric = _metric()
    metric.process(None, _samples(tmp_path) + _samples(tmp_path, 1))
    with pytest.raises(RuntimeError, match='counted twice'):
        metric.evaluate(5)


def test_nothing_measured():
    assert _metric().evaluate(0) == {}


# What each process measures; in the first line of each, the last 0 fills the
# last round, in the second an image is there twice.
SHARES = {
    2: (((0, 2, 4), (1, 3, 0)), ((0, 2, 4), (0, 1, 3))),
    3: (((0, 3), (1, 4), (2, 0)), ((0, 3), (0, 4), (1, 2)))
}


def _worker(rank, folder, port, queue, ranks):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=ranks)
    samples = _samples(folder)
    for shares in SHARES[ranks]:
        metric = _metric()
        metric.process(None, [samples[index] for index in shares[rank]])
        try:
            queue.put(metric.evaluate(5))
        except RuntimeError as error:
            queue.put(str(error))
        dist.barrier()
    dist.destroy_process_group()


@pytest.mark.parametrize('ranks', [2, 3])
def test_several_processes_equal_one(tmp_path, ranks):
    metric = _metric()
    metric.process(None, _samples(tmp_path))
    expected = metric.evaluate(5)
    queue = mp.get_context('spawn').SimpleQueue()
    port = 29600 + (os.getpid() + ranks) % 1000
    mp.spawn(_worker, (tmp_path, port, queue, ranks), nprocs=ranks)
    assert [queue.get() for _ in range(ranks)] == [expected] * ranks
    for _ in range(ranks):
        assert 'counted twice' in queue.get()
