# Copyright (c) mmktse authors. All rights reserved.
import importlib.util
import json
import os
import os.path as osp
import subprocess
import sys

import pytest
import torch

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.engine.label_maker import stored_origin
from mmktse.evaluation import choose_threshold
from mmktse.registry import MODELS
from mmktse.seeds.manifest import check_complete
from mmktse.visualization.config_dataset import build_dataset

CONFIG = """
default_scope = 'mmktse'
data_root = 'nowhere'
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[127.] * 3, std=[128.] * 3, to_rgb=True),
    backbone=dict(type='mmpretrain.MobileNetV2', widen_factor=.1),
    head=dict(type='CAMHead', num_classes={num_classes}, in_channels=1280))
test_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ImageLevelDataset',
        data_root=data_root,
        ann_file='ImageSets/train_labels.txt',
        metainfo=dict(classes='classes.txt'),
        test_mode=True,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='MultiScaleViews', scales=(.5, 1.)),
            dict(type='mmpretrain.PackInputs', meta_keys=(
                'img_id', 'img_path', 'seg_map_path', 'ori_shape')),
        ]))
pseudo_labels = dict(
    threshold=.4, num_workers=0,
    refiner=dict(type='PARRefiner', num_iters=1))
"""
NUM_IMAGES = 4


@pytest.fixture(scope='module')
def tool():
    root = osp.join(osp.dirname(__file__), '..', '..', 'tools')
    spec = importlib.util.spec_from_file_location(
        'make_pseudo_labels', osp.join(root, 'make_pseudo_labels.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tool, tmp_path, monkeypatch):
    """Runs the tool with a small random network on synthetic images."""
    generate_synthetic_voc(
        str(tmp_path / 'data'), num_train=NUM_IMAGES, num_val=1, size=48)
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.replace('{num_classes}', str(len(CLASSES))))
    cfg = tool.load_config(str(config))
    torch.manual_seed(0)
    torch.save(MODELS.build(cfg.model).state_dict(), tmp_path / 'x.pth')

    def run(*args, data='data', id_file=None):
        args = [str(arg) for arg in args]
        monkeypatch.setattr(sys, 'argv', [
            'make_pseudo_labels.py',
            str(config), *args, '--cfg-options',
            f'data_root={tmp_path / data}',
            f'test_dataloader.dataset.id_file={id_file}'
        ])
        tool.main()

    return run


def test_from_checkpoint_then_from_seeds(run, tmp_path, capsys):
    run(tmp_path / 'x.pth', '--out', tmp_path / 'out')
    manifest = check_complete(tmp_path / 'out')
    assert len(manifest['ids']) == NUM_IMAGES
    assert manifest['threshold'] == .4
    assert manifest['settings']['dataset']['classes'] == list(CLASSES)
    metrics = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert [(row['what'], row['threshold_source'], row['refiner'])
            for row in metrics['rows']] == [('seed', 'oracle', 'none'),
                                            ('seed', 'fixed', 'none'),
                                            ('pseudo labels', 'fixed',
                                             'PARRefiner')]
    assert {row['split']
            for row in metrics['rows']} == {'ImageSets/train_labels.txt'}
    assert len(metrics['curve']['mIoU']) == 101
    assert 'threshold 0.40 (fixed)' in capsys.readouterr().out

    # Once more with other settings, and without the network.
    run('--from-seeds', tmp_path / 'out', '--out', tmp_path / 'again',
        '--threshold', 'oracle')
    again = check_complete(tmp_path / 'again')
    oracle = metrics['oracle']['threshold']
    assert again['threshold'] == oracle
    assert again['settings']['labels']['threshold'] == 'oracle'
    assert again['settings']['seeds'] == manifest['settings']['seeds']

    # A finished folder is left as it is, and not used for other settings.
    with pytest.raises(SystemExit, match='labels.threshold was 0.4'):
        run(tmp_path / 'x.pth', '--out', tmp_path / 'out', '--threshold', .5)
    (tmp_path / 'out' / 'seeds' / f'{manifest["ids"][0]}.npz').unlink()
    with pytest.raises(SystemExit, match='1 of 4 images.*have no seed'):
        run('--from-seeds', tmp_path / 'out', '--out', tmp_path / 'third')


def test_ranks_may_wait_for_long(run, tool, tmp_path, monkeypatch):
    """A group takes its timeout when it starts."""
    timeouts = []
    monkeypatch.setattr(
        tool, 'setup_distributed',
        lambda cfg, _: timeouts.append(cfg.env_cfg.dist_cfg.timeout))
    run(tmp_path / 'x.pth', '--out', tmp_path / 'out', '--no-eval')
    assert timeouts == [86400]


def choose(tmp_path, folder, number):
    """What a sweep over the first images writes."""
    dataset = build_dataset(
        str(tmp_path / 'config.py'), dict(data_root=str(tmp_path / 'data')))
    choice = choose_threshold(folder, dataset.get_subset(number),
                              'ImageSets/held_out.txt')
    # As no other choice could be.
    choice.update(threshold=.37, seeds=stored_origin(folder)['settings'])
    (tmp_path / 'choice.json').write_text(json.dumps(choice))
    return choice


def chosen(folder):
    """By kind of row, the threshold and how it was chosen."""
    metrics = json.loads((folder / 'metrics.json').read_text())
    assert metrics['rows'][0]['threshold_source'] == 'oracle'
    return [(row['threshold'], row['threshold_source'])
            for row in metrics['rows'][1:]]


def test_threshold_of_a_sweep(run, tmp_path, capsys):
    run(tmp_path / 'x.pth', '--out', tmp_path / 'out')
    choice = choose(tmp_path, tmp_path / 'out', 2)
    ids = check_complete(tmp_path / 'out')['ids']
    lists = dict(all=ids, rest=ids[2:], same=ids[:2])
    source = 'best on held_out.txt (2 images)'
    text = dict(
        all=f'{source}, 2 of them among the images measured',
        rest=source,
        same=f'{source}, the very images measured')
    capsys.readouterr()
    for name, names in lists.items():
        id_file = tmp_path / f'{name}.txt'
        id_file.write_text('\n'.join(names))
        out = tmp_path / name
        run('--from-seeds',
            tmp_path / 'out',
            '--out',
            out,
            '--threshold',
            tmp_path / 'choice.json',
            id_file=id_file)
        assert chosen(out) == [(.37, text[name])] * 2
        assert f'threshold 0.37 ({text[name]})' in capsys.readouterr().out
        manifest = check_complete(out)
        assert manifest['threshold'] == .37
        labels = manifest['settings']['labels']
        assert labels['threshold'] == .37
        assert labels['threshold_source'] == source
        assert manifest['threshold_choice'] == dict(
            num_images=2,
            overlap=len(set(ids[:2]) & set(names)),
            ids_sha256=choice['ids_sha256'],
            seeds=choice['seeds'])

    # The network's own seeds are known to be the same; a second run of the
    # same command changes nothing.
    for _ in range(2):
        run(tmp_path / 'x.pth', '--out', tmp_path / 'new', '--threshold',
            tmp_path / 'choice.json')
        assert chosen(tmp_path / 'new') == [(.37, text['all'])] * 2
        content = (tmp_path / 'new' / 'manifest.json').read_text()
        assert choice['ids_sha256'] in content
    with pytest.raises(SystemExit, match='threshold_source was best on held'):
        run(tmp_path / 'x.pth', '--out', tmp_path / 'new', '--threshold', .37)


def test_threshold_of_other_seeds_is_named(run, tmp_path):
    run(tmp_path / 'x.pth', '--out', tmp_path / 'out')
    choice = choose(tmp_path, tmp_path / 'out', 2)
    choice['seeds'] = dict(choice['seeds'], checkpoint_sha256='x')
    (tmp_path / 'choice.json').write_text(json.dumps(choice))
    run('--from-seeds', tmp_path / 'out', '--out', tmp_path / 'again',
        '--threshold', tmp_path / 'choice.json')
    source = 'best on held_out.txt (2 images), on other seeds'
    text = f'{source}, 2 of them among the images measured'
    assert chosen(tmp_path / 'again') == [(.37, text)] * 2
    manifest = check_complete(tmp_path / 'again')
    assert manifest['settings']['labels']['threshold_source'] == source


def test_bad_input_is_one_sentence(run, tmp_path, capsys):
    with pytest.raises(SystemExit, match='error: There is no checkpoint'):
        run(tmp_path / 'gone.pth', '--out', tmp_path / 'out')
    with pytest.raises(SystemExit, match='error: There is no data folder'):
        run(tmp_path / 'x.pth', '--out', tmp_path / 'out', data='gone')
    with pytest.raises(SystemExit):
        run('--out', tmp_path / 'out')
    assert 'checkpoint or --from-seeds' in capsys.readouterr().err
    with pytest.raises(SystemExit, match='error: There is no file .*gone.js'):
        run(tmp_path / 'x.pth', '--out', tmp_path / 'out', '--threshold',
            tmp_path / 'gone.json')
    with pytest.raises(SystemExit, match='error: .*x.pth is not the choice'):
        run(tmp_path / 'x.pth', '--out', tmp_path / 'out', '--threshold',
            tmp_path / 'x.pth')
    assert not (tmp_path / 'out').exists()


def test_seeds_are_measured_as_the_config_says(run, tmp_path):
    """The published range, and a background that needs no threshold."""
    config = tmp_path / 'config.py'
    config.write_text(config.read_text() + """
test_evaluator = dict(
    type='SeedMetric', thresholds=[.1, .2, .4], absent_as_zero=True)
pseudo_labels = dict(num_workers=0, threshold=.4, background_alpha=6)
""")
    run(tmp_path / 'x.pth', '--out', tmp_path / 'out')
    metrics = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert metrics['curve']['threshold'] == [.1, .2, .4]
    assert metrics['rows'][0]['threshold'] in (.1, .2, .4)
    row = metrics['rows'][-1]
    assert row['threshold_source'] == 'not used: background (1 - CAM)^6'


def test_two_processes_give_the_same_bytes(run, tmp_path):
    """Network, PAR in workers, and labels of stored seeds once more."""

    def make(out, *words, processes=None):
        words = [str(tmp_path / 'config.py'), *map(str, words)]
        words += ['--out', str(tmp_path / out), '--cfg-options']
        # Alone in its batch an image does not depend on its neighbours.
        words += [f'data_root={tmp_path}/data', 'test_dataloader.batch_size=1']
        words += ['pseudo_labels.num_workers=1']
        tools = osp.join(osp.dirname(__file__), '..', '..', 'tools')
        command = [sys.executable, osp.join(tools, 'make_pseudo_labels.py')]
        if processes:
            command = ['bash', osp.join(tools, 'dist_pseudo_labels.sh')]
        port = 20000 + (os.getpid() + len(out)) % 20000
        done = subprocess.run(
            command + words,
            env=dict(
                os.environ,
                PYTHON=sys.executable,
                PYTHONPATH=os.pathsep.join(sys.path),
                GPUS=str(processes),
                PORT=str(port),
                # torchrun's own default; sums depend on it in their last bit.
                OMP_NUM_THREADS='1',
                CUDA_VISIBLE_DEVICES=''),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True)
        assert done.returncode == 0, done.stdout[-3000:]
        return {
            str(path.relative_to(tmp_path / out)): path.read_bytes()
            for path in (tmp_path / out).rglob('*')
            if path.suffix in ('.npz', '.png') or path.name == 'manifest.json'
        }

    one = make('one', tmp_path / 'x.pth')
    two = make('two', tmp_path / 'x.pth', processes=2)
    assert len(one) == 2 * NUM_IMAGES + 1 and two == one
    again = make('again', '--from-seeds', tmp_path / 'one', processes=2)
    labels = {k: v for k, v in one.items() if k.endswith('.png')}
    assert {k: v for k, v in again.items() if k.endswith('.png')} == labels


def test_without_masks_nothing_is_measured(run, tmp_path):
    for mask in (tmp_path / 'data' / 'SegmentationClass').iterdir():
        mask.unlink()
    run(tmp_path / 'x.pth', '--out', tmp_path / 'out')
    check_complete(tmp_path / 'out')
    assert not (tmp_path / 'out' / 'metrics.json').exists()
