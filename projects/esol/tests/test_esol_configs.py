# Copyright (c) mmktse authors. All rights reserved.
"""The tools run ESOL by its configs alone."""
import json
import runpy
import shlex
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner import CheckpointLoader
from mmpretrain.structures import DataSample

from mmktse.datasets.synthetic import generate_synthetic_voc
from mmktse.registry import MODELS
from mmktse.seeds.manifest import check_complete

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).parents[1] / 'configs'
STAGES = ('warm', 'expand', 'shrink')
NETWORKS = [('esol_r50_{}_voc', 20), ('esol_r50_{}_coco', 80),
            ('esol_efficientnet-lite0_{}_custom', None),
            ('esol_mobilenetv2_{}_custom', None)]
PIPELINES = sorted(path.name for path in FOLDER.glob('esol_pipeline_*.py'))


def config(name):
    return Config.fromfile(FOLDER / f'{name}.py')


@pytest.fixture
def run(monkeypatch):
    """Runs a tool in this process, started in the root of the repository."""
    monkeypatch.chdir(ROOT)

    def run(tool, *words):
        path = f'tools/{tool}'
        monkeypatch.setattr(sys, 'argv', [path, *map(str, words)])
        runpy.run_path(path)['main']()

    yield run
    DefaultScope._instance_dict.clear()


@pytest.mark.parametrize('name, num_classes', NETWORKS)
def test_steps_of_every_stage_and_phase(name, num_classes):
    if 'efficientnet' in name:
        pytest.importorskip('timm', reason='of the extra quickstart')
    before = None
    for stage in STAGES:
        cfg = config(name.format(stage))
        cfg.model.backbone.init_cfg = None
        # The full kernels would be most of the time of this test.
        cfg.model.head.mid_channels = 16
        assert cfg.model.head.num_classes == num_classes
        cfg.model.head.num_classes = num_classes or 3
        model = MODELS.build(cfg.model)
        model.init_weights()
        if before:
            missing, foreign = model.load_state_dict(before, strict=False)
            new = ('head.shrink.', ) if stage == 'shrink' else ()
            assert not foreign and all(key.startswith(new) for key in missing)
        model.train()
        optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
        images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
        samples = [DataSample().set_gt_label(label) for label in ([0], [0, 2])]
        for held in (True, False):
            model.head.hold(held)
            logs = model.train_step(
                dict(inputs=list(images), data_samples=samples), optim_wrapper)
            assert torch.isfinite(logs['loss'])
            assert ('loss_area' in logs) == (stage == 'shrink' and not held)
        before = model.state_dict()


@pytest.mark.parametrize('name, num_classes', NETWORKS)
def test_stages_are_chained(name, num_classes):
    cfgs = [config(name.format(stage)) for stage in STAGES]
    assert [cfg.model.head.get('stage', 'warm') for cfg in cfgs] == [*STAGES]
    assert cfgs[0].load_from is None
    for stage, first, second in zip(STAGES, cfgs, cfgs[1:]):
        epochs = first.train_cfg.max_epochs
        assert second.load_from == (
            f'work_dirs/{name.format(stage)}/epoch_{epochs}.pth')
        # What an expanded feature is must not change on the way.
        for part in ('sampler', 'clip', 'mid_channels'):
            assert first.model.head.get(part) == second.model.head.get(part)
        assert first.train_dataloader == second.train_dataloader
        assert first.test_dataloader == second.test_dataloader
    for cfg in cfgs[1:]:
        # Parameters rest while others are trained.
        assert cfg.find_unused_parameters
        hold = cfg.custom_hooks[2]
        assert hold.type == 'HoldOffsetsHook'
        assert 0 < hold.epochs < cfg.train_cfg.max_epochs
    assert cfgs[1].train_cfg.type == 'StoppableTrainLoop'
    assert cfgs[1].custom_hooks[-1].type == 'AscentGuardHook'


@pytest.mark.parametrize('name', [
    'deeplabv2_r101-d8_1xb5-20k_voc12aug-321x321',
    'deeplabv2_r101-d8-cocoinit_1xb5-20k_voc12aug-321x321',
    'deeplabv2_r101-d8_1xb10-100k_coco14-321x321'
])
def test_segmentation_recipe(name):
    cfg = config(name)
    batch, steps = (5, 20000) if 'voc' in name else (10, 100000)
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.train_cfg.max_iters == steps == cfg.param_scheduler[0].end
    optimizer = cfg.optim_wrapper.optimizer
    assert optimizer.lr == (2.5e-4 if 'voc' in name else 2e-4)
    assert optimizer.weight_decay == 5e-4
    crop, = (
        step.crop_size for step in cfg.train_dataloader.dataset.pipeline
        if step.type == 'RandomCrop')
    assert tuple(crop) == (321, 321) == tuple(cfg.model.data_preprocessor.size)
    assert (cfg.model.decode_head.num_classes, 'coco'
            in cfg.model.backbone.init_cfg.checkpoint) == (81 if 'coco14'
                                                           in name else 21,
                                                           'cocoinit' in name)


@pytest.mark.parametrize('name', PIPELINES)
def test_pipeline(name, run, tmp_path, capsys):
    run('run_pipeline.py', FOLDER / name, '--work-dir', tmp_path, '--dry-run')
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if ' [' in line]
    assert all(': to do' in x or ': left out' in x for x in heads)
    names = [line.split()[0] for line in heads]
    order = [
        'warm', 'expand', 'shrink', 'seeds', 'ir_labels', 'irn', 'deeplabv2'
    ]
    assert [x for x in names if x in order] == order
    commands = {
        name: line.removeprefix('  command: ')
        for name, line in zip(names, (x for x in lines if '  command: ' in x))
    }
    assert 'load_from=<checkpoint_of_warm>' in commands['expand']
    assert 'load_from=<checkpoint_of_expand>' in commands['shrink']
    assert '<checkpoint_of_shrink>' in shlex.split(commands['seeds'])
    assert 'ignore_threshold=0.05' in commands['ir_labels']
    titles = [
        s.get('title', '') for s in Config.fromfile(FOLDER / name).stages
    ]
    assert not any('KTSE' in title for title in titles)


def test_study(run, tmp_path, capsys):
    path = FOLDER / 'esol_study.py'
    run('analysis_tools/run_study.py', path, '--work-dir', tmp_path,
        '--results', tmp_path, '--dry-run')
    assert 'shrink_mu0_s0: train: to do' in capsys.readouterr().out
    study = Config.fromfile(path)
    rows = {row.name: row for row in study.rows}
    for row in rows.values():
        options = study.stages[row.stages][0].cfg_options
        if 'load_from' in options:
            cfg = Config.fromfile(ROOT / rows[row.after].config)
            assert options.load_from.endswith(
                f'/epoch_{cfg.train_cfg.max_epochs}.pth')
        # Names that a part does not know fail.
        cfg = Config.fromfile(ROOT / row.config)
        cfg.merge_from_dict(row.cfg_options)
        cfg.model.backbone.update(init_cfg=None, widen_factor=.1)
        cfg.model.head.update(num_classes=3, in_channels=32)
        MODELS.build(cfg.model)
        build_optim_wrapper(torch.nn.Linear(1, 1), cfg.optim_wrapper)


def steps_of(work_dir):
    log, = work_dir.glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines()]


def weights(path):
    return CheckpointLoader.load_checkpoint(str(path), 'cpu')['state_dict']


@pytest.mark.parametrize('expand_options, shrink_options, co_trained', [
    ([], [], {'head.expand.kernel.weight'}),
    (['model.head.co_trained=[]'], [
        'model.head.train_kernel=True', 'optim_wrapper.optimizer.lr=0.04'
    ], set()),
])
def test_three_stages_then_pseudo_labels(run, tmp_path, expand_options,
                                         shrink_options, co_trained):
    data = generate_synthetic_voc(str(tmp_path / 'data'), 4, 1, 64)
    tiny = [
        '--cfg-options', f'data_root={data}', 'model.backbone.init_cfg=None',
        'model.backbone.widen_factor=0.1', 'model.head.in_channels=32'
    ]
    short = [
        *tiny, 'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0', 'default_hooks.logger.interval=1',
        'train_dataloader.dataset.pipeline.3.crop_size=64'
    ]

    def train(stage, *options):
        folder = tmp_path / stage
        run('train.py', FOLDER / f'esol_mobilenetv2_{stage}_custom.py',
            '--work-dir', folder, *short, *options)
        return steps_of(folder)

    train('warm', 'train_cfg.warmup_epochs=0', 'train_cfg.max_epochs=1',
          'warmup_dataloader.batch_size=2')
    first = tmp_path / 'warm' / 'epoch_1.pth'
    # Two steps at offset 0, then one of the ascent, at which it is stopped.
    steps = train('expand', f'load_from={first}', 'train_cfg.max_epochs=3',
                  'custom_hooks.4.kappa=0.001', 'custom_hooks.4.window=1',
                  *expand_options)
    assert ['offset_mean' in step for step in steps] == [False, False, True]
    assert steps[2]['offset_max'] == 0 < steps[2]['ascent_ratio']
    second = tmp_path / 'expand' / 'epoch_3.pth'
    steps = train('shrink', f'load_from={second}', 'train_cfg.max_epochs=2',
                  'custom_hooks.2.epochs=1', *shrink_options)
    assert ['loss_area' in step for step in steps] == [False] * 2 + [True] * 2
    assert steps[3]['offset_max'] > 0 == steps[2]['offset_max']
    third = tmp_path / 'shrink' / 'epoch_2.pth'

    warm, expand, shrink = map(weights, (first, second, third))
    moved = {key for key in warm if not torch.equal(warm[key], expand[key])}
    assert moved == {
        'head.classifier.weight', 'head.expand.offset.weight',
        'head.expand.offset.bias'
    } | co_trained
    moved = {
        key
        for key in expand if not torch.equal(expand[key], shrink[key])
    }
    assert moved == {'head.classifier.weight'}

    out = tmp_path / 'labels'
    run('make_pseudo_labels.py', FOLDER / 'esol_mobilenetv2_shrink_custom.py',
        third, '--out', out, *tiny, 'test_dataloader.num_workers=0',
        'pseudo_labels.num_workers=0')
    assert len(check_complete(out)['ids']) == 4
    rows = json.loads((out / 'metrics.json').read_text())['rows']
    assert {row['what'] for row in rows} == {'seed', 'pseudo labels'}
    assert all('precision' in row and 'recall' in row for row in rows)


def test_expansion_needs_a_head_that_was_trained(run, tmp_path):
    """That of a plain CAM network is refused."""
    data = generate_synthetic_voc(str(tmp_path / 'data'), 2, 1, 48)
    plain = Config.fromfile(ROOT / 'configs/cam/cam_mobilenetv2_custom.py')
    plain.model.backbone.update(init_cfg=None, widen_factor=.1)
    plain.model.head.update(num_classes=3, in_channels=32)
    path = tmp_path / 'plain.pth'
    torch.save(dict(state_dict=MODELS.build(plain.model).state_dict()), path)
    words = [
        '--work-dir', tmp_path / 'run', '--cfg-options', f'data_root={data}',
        'model.backbone.init_cfg=None', 'model.backbone.widen_factor=0.1',
        'model.head.in_channels=32', 'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0', f'load_from={path}'
    ]
    with pytest.raises(SystemExit) as info:
        run('train.py', FOLDER / 'esol_mobilenetv2_expand_custom.py', *words)
    assert 'the first is "head.expand.kernel.weight"' in str(info.value)
