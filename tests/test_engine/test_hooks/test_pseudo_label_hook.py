# Copyright (c) mmktse authors. All rights reserved.
import json
import os
import os.path as osp
import signal
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from PIL import Image

from mmktse.engine.dist import setup_distributed
from mmktse.engine.hooks import pseudo_label_hook
from mmktse.registry import DATASETS, MODELS
from mmktse.seeds import load_seed, save_label_map
from mmktse.utils import file_sha256

IDS = tuple('abcdef')
SIZE = (12, 16)
KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
import test_pseudo_label_hook as test
replace = os.replace
def replace_or_die(source, target):
    if str(target).endswith({target!r}):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = replace_or_die
test.run({root!r}, 'killed')
"""


@DATASETS.register_module()
class ToyImages(BaseDataset):
    """Reads the list of images from a JSON file."""


@MODELS.register_module()
class ToyCAM(BaseModel):
    """Gives the maps of an image as a function of its id."""

    def __init__(self, source='label'):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.source = source
        self.asked = []

    def forward(self, img_id, mode='tensor', **kwargs):
        if mode == 'loss':
            return dict(loss=self.weight**2)
        self.asked += img_id
        samples = []
        for name in img_id:
            rng = np.random.default_rng(ord(name))
            sample = DataSample(
                metainfo=dict(
                    img_id=name,
                    cam_source=self.source,
                    seg_map_path=kwargs['seg_map_path'][img_id.index(name)]))
            sample.cam = torch.from_numpy(rng.random((2, *SIZE), np.float32))
            sample.cam_classes = torch.tensor([0, 2])
            samples.append(sample)
        return samples


def runner(root, out, source='label', launcher='none', **settings):
    root = str(root)
    dataset = dict(
        type='ToyImages',
        ann_file=f'{root}/list.json',
        data_prefix=dict(img_path=root))
    loader = dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dataset)
    hook = {
        'type': 'PseudoLabelHook',
        'out_dir': f'{root}/{out}',
        'num_workers': 0,
        'threshold': .5,
        **settings
    }
    cfg = Config(
        dict(
            default_scope='mmktse',
            model=dict(type='ToyCAM', source=source),
            train_dataloader=loader,
            train_cfg=dict(by_epoch=True, max_epochs=1),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=.1)),
            test_dataloader=loader,
            test_cfg=dict(),
            test_evaluator=dict(type='SeedMetric'),
            custom_hooks=[hook],
            work_dir=f'{root}/work',
            experiment_name=f'toy{np.random.randint(1 << 30)}',
            load_from=None
            if settings.get('run_after_train') else f'{root}/x.pth'))
    setup_distributed(cfg, launcher)
    return Runner.from_cfg(cfg)


def run(root, out, **settings):
    loop = runner(root, out, **settings)
    return loop.test(), loop.model.asked


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*')) if path.is_file()
    }


@pytest.fixture
def root(tmp_path):
    data_list = []
    for name in IDS:
        Image.new('RGB', SIZE[::-1]).save(tmp_path / f'{name}.jpg')
        mask = tmp_path / 'gt' / f'{name}.png'
        truth = np.random.default_rng(ord(name)).choice([0, 1, 3], SIZE)
        save_label_map(mask, truth)
        data_list.append(
            dict(
                img_id=name,
                img_path=f'{name}.jpg',
                seg_map_path=str(mask),
                gt_label=[0, 2]))
    metainfo = dict(classes=('cat', 'dog', 'cow'))
    (tmp_path / 'list.json').write_text(
        json.dumps(dict(metainfo=metainfo, data_list=data_list)))
    torch.save(ToyCAM().state_dict(), tmp_path / 'x.pth')
    return tmp_path


def test_makes_seeds_and_labels(root):
    metrics, asked = run(root, 'out')
    assert asked == list(IDS)
    assert metrics['seed/oracle/mIoU'] > 0
    files = content(root / 'out')
    assert len(files) == 2 * len(IDS) + 1
    manifest = json.loads(files['manifest.json'])
    assert manifest['complete'] and manifest['ids'] == list(IDS)
    seeds = manifest['settings']['seeds']
    assert seeds['checkpoint_sha256'] == file_sha256(root / 'x.pth')
    assert seeds['cam_source'] == 'label'


def test_labelling_beside_the_network_gives_the_same_bytes(root):
    run(root, 'after')
    run(root, 'beside', num_workers=1)
    assert content(root / 'beside') == content(root / 'after')


def test_killed_run_ends_with_the_same_bytes(root):
    whole, _ = run(root, 'whole')
    code = KILLED.format(
        path=[osp.dirname(__file__), *sys.path],
        target='seeds/c.npz',
        root=str(root))
    process = subprocess.run([sys.executable, '-c', code],
                             capture_output=True,
                             text=True)
    assert process.returncode == -signal.SIGKILL, process.stderr
    metrics, asked = run(root, 'killed')
    assert asked == list('cdef')
    # Those stored before count in half precision.
    assert metrics == pytest.approx(whole, abs=.5)
    assert content(root / 'killed') == content(root / 'whole')


def _worker(rank, root, port, ranks):
    os.environ.update(
        CUDA_VISIBLE_DEVICES='',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(ranks))
    loop = runner(root, 'several', launcher='pytorch')
    metrics = loop.test()
    asked = loop.model.module.asked
    (root / f'rank{rank}.json').write_text(json.dumps([metrics, asked]))
    dist.destroy_process_group()


@pytest.mark.parametrize('shares', [('ace', 'bd'), ('ad', 'be', 'c')])
def test_several_processes_equal_one(root, shares):
    # Five images: some processes get a smaller share.
    listed = json.loads((root / 'list.json').read_text())
    listed['data_list'].pop()
    (root / 'list.json').write_text(json.dumps(listed))
    metrics, _ = run(root, 'one')
    ranks = len(shares)
    port = 28600 + (os.getpid() + ranks) % 1000
    mp.spawn(_worker, (root, port, ranks), nprocs=ranks)
    results = [
        json.loads((root / f'rank{rank}.json').read_text())
        for rank in range(ranks)
    ]
    assert results == [[metrics, list(share)] for share in shares]
    assert content(root / 'several') == content(root / 'one')


def test_stored_maps_are_dropped_one_by_one(root, monkeypatch):
    run(root, 'out')
    maps, alive = [], []

    def load(path):
        cam, classes = load_seed(path)
        maps.append(weakref.ref(cam))
        alive.append(sum(ref() is not None for ref in maps))
        return cam, classes

    monkeypatch.setattr(pseudo_label_hook, 'load_seed', load)
    run(root, 'out')
    # The one before is let go when the next one is there.
    assert len(alive) == len(IDS) and max(alive) == 2


def test_finished_folder_needs_no_network(root):
    whole, _ = run(root, 'out')
    before = content(root / 'out')
    metrics, asked = run(root, 'out')
    assert asked == [] and metrics == pytest.approx(whole, abs=.5)
    assert content(root / 'out') == before


def test_other_checkpoint_is_refused(root):
    run(root, 'out')
    torch.save(dict(weight=torch.zeros(())), root / 'x.pth')
    with pytest.raises(ValueError, match='seeds.checkpoint_sha256'):
        run(root, 'out')


def test_predicted_presence_is_not_taken_for_labels(root):
    with pytest.raises(ValueError, match='come from its prediction'):
        run(root, 'out', source='prediction')
    run(root, 'other', source='prediction', cam_source='prediction')


def test_after_training(root):
    trained = runner(root, 'out', run_after_train=True)
    trained.train()
    manifest = json.loads((root / 'out' / 'manifest.json').read_text())
    assert manifest['complete']
    checkpoint = manifest['info']['checkpoint']
    assert checkpoint == str(root / 'work' / 'epoch_1.pth')
    assert manifest['settings']['seeds']['checkpoint_sha256'] == file_sha256(
        checkpoint)


def test_missing_checkpoint_is_one_clear_error(root):
    loop = runner(root, 'out')
    loop._load_from = None
    with pytest.raises(FileNotFoundError, match='need a checkpoint'):
        loop.test()
