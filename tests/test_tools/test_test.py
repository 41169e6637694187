# Copyright (c) mmktse authors. All rights reserved.
import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.runner import save_checkpoint

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.engine.config import load_config
from mmktse.evaluation import score_refinement
from mmktse.models.classifiers import CAMClassifier
from mmktse.registry import MODELS
from mmktse.seeds import load_label_map

ROOT = Path(__file__).parents[2]
SEGMENTOR = ROOT / 'tests' / 'data' / 'tiny_segmentor.py'
CONFIG = """
default_scope = 'mmktse'
data_root = 'nowhere'
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[127.] * 3, std=[128.] * 3, to_rgb=True),
    backbone=dict(type='mmpretrain.MobileNetV2', widen_factor=.1),
    head=dict(type='CAMHead', num_classes=5, in_channels=1280))
test_dataloader = dict(
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ImageLevelDataset',
        data_root=data_root,
        ann_file='ImageSets/val_labels.txt',
        metainfo=dict(classes='classes.txt'),
        test_mode=True,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='mmpretrain.PackInputs', meta_keys=(
                'img_id', 'img_path', 'seg_map_path', 'ori_shape')),
        ]))
test_cfg = dict()
test_evaluator = dict(type='SeedMetric', fixed_threshold=.3)
"""


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """The tool's names, and its main function with arguments."""
    names = runpy.run_path(str(ROOT / 'tools' / 'test.py'))
    config = tmp_path / 'config.py'
    config.write_text(CONFIG)

    def run(*words):
        monkeypatch.setattr(
            sys, 'argv', ['test.py', str(config), *map(str, words)])
        names['main']()

    return dict(names, run=run)


@pytest.fixture
def checkpoint(tool, tmp_path):
    from mmengine.config import Config
    model = MODELS.build(Config.fromfile(tmp_path / 'config.py').model)
    path = tmp_path / 'net.pth'
    save_checkpoint(dict(state_dict=model.state_dict()), str(path))
    return path


def test_figures_are_written(tool, checkpoint, tmp_path):
    data, work = tmp_path / 'data', tmp_path / 'work'
    generate_synthetic_voc(str(data), num_train=1, num_val=2, size=48)
    tool['run'](checkpoint, '--work-dir', work, '--cfg-options',
                f'data_root={data}')
    result = json.loads((work / 'metrics.json').read_text())
    oracle, fixed = result['rows']
    assert oracle['threshold_source'] == 'oracle'
    assert fixed['threshold_source'] == 'fixed'
    assert fixed['threshold'] == .3
    assert oracle['mIoU'] >= fixed['mIoU'] > 0
    assert result['metrics']['seed/oracle/mIoU'] == oracle['mIoU']


@pytest.mark.parametrize('fp16', [False, True])
def test_mixed_precision_of_the_test_loop(tool, checkpoint, tmp_path,
                                          monkeypatch, fp16):
    """MMEngine's switch; on a CPU it is bfloat16, and the head stays out."""
    seen = []

    def extract_feat(self, inputs):
        seen.append(torch.is_autocast_enabled('cpu'))
        return original(self, inputs)

    original = CAMClassifier.extract_feat
    monkeypatch.setattr(CAMClassifier, 'extract_feat', extract_feat)
    data, work = tmp_path / 'data', tmp_path / 'work'
    generate_synthetic_voc(str(data), num_train=1, num_val=1, size=48)
    tool['run'](checkpoint, '--work-dir', work, '--cfg-options',
                f'data_root={data}', f'test_cfg.fp16={fp16}')
    assert set(seen) == {fp16}
    rows = json.loads((work / 'metrics.json').read_text())['rows']
    assert rows[0]['mIoU'] > 0


@pytest.mark.parametrize('words, parts', [
    (['no.pth'], ['no.pth']),
    (['{checkpoint}'], ['nowhere', 'data_root=DIR']),
    (['{checkpoint}', '--tta', '--cfg-options', 'data_root=.'], ['tta_model']),
    (['{checkpoint}', '--crf', '--cfg-options', 'data_root=.'], ['crf']),
])
def test_bad_input_is_one_sentence(tool, checkpoint, tmp_path, words, parts):
    words = [word.format(checkpoint=checkpoint) for word in words]
    with pytest.raises(SystemExit) as info:
        tool['run'](*words, '--work-dir', tmp_path / 'work')
    assert info.value.code.startswith('error: ')
    assert '\n' not in info.value.code
    assert all(part in info.value.code for part in parts)


@pytest.mark.parametrize('words',
                         [[], ['--tta'], ['--crf'], ['--tta', '--crf']])
def test_segmentation_network(tmp_path, monkeypatch, words):
    if '--crf' in words:
        pytest.importorskip('pydensecrf')
    # Refined in this process.
    monkeypatch.setattr(score_refinement, 'share_of_cores', lambda: 0)
    data = tmp_path / 'data'
    generate_synthetic_voc(str(data), num_train=1, num_val=2, size=48)
    cfg = load_config(str(SEGMENTOR), dict(data_root=str(data)))
    with DefaultScope.overwrite_default_scope('mmseg'):
        net = MODELS.build(cfg.model)
    save_checkpoint(
        dict(state_dict=net.state_dict()), str(tmp_path / 'net.pth'))
    monkeypatch.setattr(sys, 'argv', [
        'test.py',
        str(SEGMENTOR),
        str(tmp_path / 'net.pth'), '--work-dir',
        str(tmp_path / 'work'), '--out',
        str(tmp_path / 'masks'), *words, '--cfg-options', f'data_root={data}'
    ])
    runpy.run_path(str(ROOT / 'tools' / 'test.py'))['main']()
    result = json.loads((tmp_path / 'work' / 'metrics.json').read_text())
    assert result['rows'] == [
        dict(
            what='segmentation',
            split='ImageSets/val.txt',
            tta='yes' if '--tta' in words else 'no',
            refiner='dense CRF' if '--crf' in words else 'none',
            mIoU=result['metrics']['mIoU'])
    ]
    masks = sorted((tmp_path / 'masks').iterdir())
    assert len(masks) == 2
    for path in masks:
        truth = load_label_map(data / 'SegmentationClass' / path.name)
        load_label_map(path, size=truth.shape, num_classes=len(CLASSES))
