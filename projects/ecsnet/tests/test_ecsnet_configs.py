# Copyright (c) mmktse authors. All rights reserved.
"""The tools run the method by its configs alone."""
import inspect
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
from mmengine.visualization import Visualizer
from mmpretrain.structures import DataSample

from mmktse.datasets.synthetic import generate_synthetic_voc
from mmktse.engine.config import load_config
from mmktse.registry import HOOKS, MODELS, TRANSFORMS
from mmktse.seeds.manifest import check_complete
from projects.ecsnet.ecsnet import ECSHead, ECSNet

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).parents[1] / 'configs'
NETWORKS = [
    path.stem for path in sorted(FOLDER.glob('*_voc*.py')) +
    sorted(FOLDER.glob('*_custom*.py')) if 'pipeline' not in path.stem
]


def read(name):
    if 'efficientnet' in name:
        pytest.importorskip('timm', reason='of the extra quickstart')
    return load_config(str(FOLDER / f'{name}.py'))


@pytest.fixture
def run(monkeypatch):
    """Runs a tool in this process, started in the root of the repository."""
    monkeypatch.chdir(ROOT)

    def run(tool, *words):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, words)])
        runpy.run_path(f'tools/{tool}')['main']()

    yield run
    DefaultScope._instance_dict.clear()
    # Two runs of one config in one second would share it.
    Visualizer._instance_dict.clear()


@pytest.mark.parametrize('name', [
    'ecsnet_resnet38d_voc', 'ecsnet_r50_voc',
    'ecsnet_efficientnet-lite0_custom', 'ecsnet_mobilenetv2_custom',
    'ecsnet_mobilenetv2_custom_seg-from-cam'
])
def test_one_step(name):
    cfg = read(name)
    cfg.model.backbone.init_cfg = None
    cfg.model.head.num_classes = cfg.model.head.num_classes or 3
    model = MODELS.build(cfg.model)
    assert isinstance(model, ECSNet)
    model.init_weights()
    model.train()
    model.label_source = 'seg'
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    head = model.head.classifier.weight.clone()
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    samples = [DataSample().set_gt_label(label) for label in ([0], [1, 2])]
    logs = model.train_step(
        dict(inputs=list(images), data_samples=samples), optim_wrapper)
    assert torch.isfinite(logs['loss']) and 'loss_seg' in logs
    assert not torch.equal(model.head.classifier.weight, head)


def without_ecs(cfg):
    """Takes away what a row with an erased pass needs."""
    for key in ('type', 'eraser', 'selector', 'seg_loss', 'erased_weight',
                'min_visible', 'area_threshold', 'num_erasures',
                'teacher_momentum', 'test_cfg'):
        cfg.model.pop(key, None)
    for key in ('type', 'seg_channels', 'dilation', 'alpha'):
        cfg.model.head.pop(key, None)
    rates = cfg.optim_wrapper.get('paramwise_cfg', {}).get('custom_keys', {})
    rates.pop('head.seg_', None)
    if not rates:
        cfg.optim_wrapper.pop('paramwise_cfg', None)
    cfg.custom_hooks = [
        hook for hook in cfg.custom_hooks if hook.type != 'LabelSourceHook'
    ]
    for pipeline in (cfg.train_pipeline,
                     *(cfg[loader].dataset.pipeline
                       for loader in ('train_dataloader', 'warmup_dataloader')
                       if cfg[loader])):
        keys = pipeline[-1].meta_keys
        pipeline[-1].meta_keys = tuple(k for k in keys if k != 'img_box')


@pytest.mark.parametrize('name', NETWORKS)
def test_rows_differ_in_what_they_compare(name):
    cfg = read(name)
    for transform in cfg.train_pipeline:
        TRANSFORMS.build(transform)
    assert cfg.train_dataloader.dataset.pipeline == cfg.train_pipeline
    base = name.replace('_no-suppression', '')
    if name.startswith('cam'):
        assert cfg.model.type == 'CAMClassifier'
        return
    assert 'img_box' in cfg.train_pipeline[-1].meta_keys
    hook = HOOKS.build(cfg.custom_hooks[1])
    assert (hook.cam, hook.seg) == (2, 4)
    custom = 'custom' in name
    selector = MODELS.build(cfg.model.selector)
    assert selector.bg_threshold == (.4 if custom else .05)
    if name == base:
        assert selector.clauses == {f'R{number}' for number in range(6)}
        plain = base.replace('ecsnet', 'cam').replace('_seg-from-cam', '')
        other = read(
            f'../../../configs/cam/{plain}' if custom else f'{plain}_seam')
        for row in (cfg, other):
            without_ecs(row)
    else:
        assert selector.clauses == {'R0'}
        assert selector.argmax_threshold == (.45 if custom else .26)
        other = read(base)
        for row in (cfg, other):
            for key in ('clauses', 'argmax_threshold'):
                row.model.selector.pop(key, None)
    same = {'custom_imports', 'filename'}
    assert {
        k: v
        for k, v in cfg._cfg_dict.items() if k not in same
    } == {
        k: v
        for k, v in other._cfg_dict.items() if k not in same
    }


def named(part, cls, left_out=()):
    """Arguments in a config, which are all the class has, and the defaults."""
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.default is not parameter.empty and name not in left_out
    }
    given = {k: v for k, v in part.items() if k in defaults}
    assert given.keys() == defaults.keys()
    return given, defaults


@pytest.mark.parametrize('name', ['ecsnet_resnet38d_voc', 'ecsnet_r50_voc'])
def test_the_paper_s_configs_name_the_defaults(name):
    model = read(name).model
    for part, left_out in [('eraser', ()), ('selector', ()),
                           ('seg_loss', ('eps', 'loss_name'))]:
        cls = MODELS.get(model[part].type)
        given, defaults = named(model[part], cls, left_out)
        assert given == defaults
    given, defaults = named(model, ECSNet)
    for part in ('eraser', 'selector', 'seg_loss'):
        assert given[part].type == defaults[part]['type']
        del given[part], defaults[part]
    assert given == defaults
    assert model.test_cfg == dict(flip=True, presence_threshold=.5, seed='cam')
    given, defaults = named(model.head, ECSHead)
    assert given['seg_channels'] == defaults['seg_channels']
    # Half of it at half the resolution.
    assert given['dilation'] == (12 if 'resnet38d' in name else 6)


def test_rates_of_seam():
    cfg = read('ecsnet_r50_voc')
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper).optimizer
    names = {p: name for name, p in model.named_parameters()}
    groups = {names[g['params'][0]]: g for g in optimizer.param_groups}

    def of(name):
        return groups[name]['lr'] / cfg.optim_wrapper.optimizer.lr, groups[
            name]['weight_decay']

    assert of('backbone.layer4.2.conv3.weight') == (1, 5e-4)
    assert of('head.classifier.weight') == (10, 5e-4)
    assert of('head.seg_conv.weight') == (10, 5e-4)
    assert of('head.seg_conv.bias') == of('head.seg_classifier.bias') == (20,
                                                                          0)
    assert {g['momentum'] for g in groups.values()} == {5e-4}
    assert not [n for n in groups if n.endswith('bias') and 'head' not in n]


@pytest.mark.parametrize('erased_weight', [0., 1.])
def test_training_over_the_warm_up_then_labels(run, tmp_path, erased_weight):
    data = generate_synthetic_voc(str(tmp_path / 'data'), 4, 1, 64)
    config = FOLDER / 'ecsnet_mobilenetv2_custom.py'
    tiny = [
        '--cfg-options', f'data_root={data}', 'model.backbone.init_cfg=None',
        'model.backbone.widen_factor=0.1', 'model.head.in_channels=32',
        'model.head.seg_channels=8'
    ]
    work_dir = tmp_path / 'run'
    small = [
        f'{loader}.{option}'
        for loader in ('train_dataloader', 'warmup_dataloader')
        for option in ('batch_size=2', 'num_workers=0',
                       'dataset.pipeline.3.crop_size=64')
    ]
    # Random weights: without the norms next to nothing comes through.
    run('train.py', config, '--work-dir', work_dir, *tiny, *small,
        'model.norm_eval=False', f'model.erased_weight={erased_weight}',
        'custom_hooks.1.cam=1', 'custom_hooks.1.seg=2',
        'train_cfg.warmup_epochs=1', 'train_cfg.max_epochs=3',
        'default_hooks.logger.interval=1', 'log_processor.window_size=1')
    log, = work_dir.glob('*/vis_data/scalars.json')
    steps = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(steps) == 6
    for number, step in enumerate(steps):
        terms = {'loss_cls', 'loss_erased'} if erased_weight else {'loss_cls'}
        if number >= 2:
            terms.add('loss_seg')
            assert step['label_fg'] > 0
        assert terms == {k for k in step if k.startswith('loss_')}
        assert step['loss'] == pytest.approx(
            sum(step[k] for k in terms), rel=1e-4)

    for seed in ('cam', 'seg'):
        out = tmp_path / seed
        run('make_pseudo_labels.py', config, work_dir / 'epoch_3.pth', '--out',
            out, *tiny, f'model.test_cfg.seed={seed}',
            'test_dataloader.num_workers=0', 'pseudo_labels.num_workers=0')
        assert len(check_complete(out)['ids']) == 4
        rows = json.loads((out / 'metrics.json').read_text())['rows']
        assert {row['what'] for row in rows} == {'seed', 'pseudo labels'}


@pytest.mark.parametrize('name, stages', [
    ('voc', 'ecsnet ecsnet_train seeds ir_labels irn irn_labels '
     'irn_labels_train deeplabv2 deeplabv2_val deeplabv2_val_crf'),
    ('custom', 'check check_val ecsnet seeds ir_labels irn labels deeplabv2 '
     'deeplabv2_val masks report'),
])
def test_pipeline(run, tmp_path, capsys, name, stages):
    path = FOLDER / f'ecsnet_pipeline_{name}.py'
    run('run_pipeline.py', path, '--work-dir', tmp_path, '--dry-run',
        '--cfg-options', 'data_root=data/of_mine')
    text = capsys.readouterr().out
    assert 'ktse' not in text.lower().replace('mmktse', '')
    lines = text.splitlines()
    heads = [line.split()[0] for line in lines if not line.startswith(' ')]
    assert heads == stages.split()
    commands = dict(
        zip(heads, (shlex.split(line)[2:]
                    for line in lines if line.startswith('  command: '))))
    assert Config.fromfile(path).cam in commands['ecsnet']
    labels = 'labels' if name == 'custom' else 'irn_labels'
    assert f'pseudo_label_dir={tmp_path}/{labels}' in commands['deeplabv2']
    assert f'pseudo_label_dir={tmp_path}/ir_labels' in commands['irn']


@pytest.mark.parametrize('options, thresholds', [
    ([], '0.25 0.3 0.1'),
    (['irn_threshold=0.4', 'ir_threshold=0.5', 'ir_ignore_threshold=0.05'
      ], '0.4 0.5 0.05'),
])
def test_thresholds_of_the_irn_are_options(run, tmp_path, capsys, options,
                                           thresholds):
    path = FOLDER / 'ecsnet_pipeline_custom.py'
    run('run_pipeline.py', path, '--work-dir', tmp_path, '--dry-run',
        '--cfg-options', 'data_root=data/of_mine', *options)
    words = capsys.readouterr().out.split()
    labels, sure, background = thresholds.split()
    assert words[words.index('--threshold') + 1] == labels
    assert f'pseudo_labels.threshold={sure}' in words
    assert f'pseudo_labels.ignore_threshold={background}' in words


def test_study(run, tmp_path, capsys):
    path = FOLDER / 'ecsnet_study.py'
    run('analysis_tools/run_study.py', path, '--dry-run', '--results',
        tmp_path, '--work-dir', tmp_path)
    settings = dict(
        no_suppression_erased1=dict(erased_weight=1.),
        suppression_erased1=dict(erased_weight=1.),
        cam_only={'seg': None},
        bg005=dict(bg_threshold=.05),
        erase03={'threshold': .3},
        erase08={'threshold': .8},
        erase1={'threshold': 1.})
    branch = 'train: to do, held: to do, held_seg: to do'
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        'cam_s0: train: to do, held: to do',
        'cam_s1: train: to do, held: to do', f'no_suppression_s0: {branch}',
        f'no_suppression_s1: {branch}'
    ]
    study = Config.fromfile(path)
    assert settings.keys() < {row.name for row in study.rows}
    for row in study.rows:
        options = dict(row.cfg_options)
        weights = options.pop('model.backbone.init_cfg.checkpoint')
        assert weights == '{mobilenet}'
        assert 'mobilenetv2' in row.config
        if row.name not in settings:
            assert not options
            continue
        parts = parts_of(row.config)
        changed = parts_of(row.config, options)
        differing = {
            key: value
            for key, value in changed.items() if value != parts[key]
        }
        assert {
            k.split('.')[-1]: v
            for k, v in differing.items()
        } == settings[row.name]
    assert study.stages.branch[-1].cfg_options['model.test_cfg.seed'] == 'seg'


def parts_of(config, options={}):
    """What a network and its hook are built with; unknown names fail."""
    cfg = load_config(str(ROOT / config))
    cfg.merge_from_dict(options)
    cfg.model.backbone.update(init_cfg=None, widen_factor=.1)
    cfg.model.head.update(num_classes=3, in_channels=32)
    model = MODELS.build(cfg.model)
    parts = dict(
        model=model,
        eraser=model.eraser,
        selector=model.selector,
        hook=HOOKS.build(cfg.custom_hooks[1]))
    return {
        f'{name}.{key}': value
        for name, part in parts.items()
        for key, value in vars(part).items()
        if isinstance(value, (int, float, str, type(None)))
    }
