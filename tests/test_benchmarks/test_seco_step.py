# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = f"""
_base_ = '{ROOT}/projects/seco/configs/seco_vit-tiny_custom-224x224.py'
width = 48
model = dict(
    backbone=dict(arch=dict(embed_dims=width, feedforward_channels=96)),
    decode_head=dict(in_channels=width, num_classes=6),
    cam_head=dict(in_channels=width),
    aux_head=dict(in_channels=width),
    projector=dict(in_channels=width, hidden_channels=64, out_channels=width),
    decomposition=dict(num_crops=4, crop_size=32),
    queue=dict(size=192, channels=width),
    prototypes=dict(channels=width))
"""


@pytest.fixture
def bench(load):
    return load('seco_step')


@pytest.fixture
def args(bench, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(CONFIG)
    return [
        '--config',
        str(config), '--crop', '96', '--repeats', '1', '--threads', '1'
    ]


def test_equal_steps_are_timed(bench, args):
    rows = bench.measure(bench.parse_args(args))
    assert [row.unit for row in rows] == ['s', 's']
    assert rows[0].ours > rows[1].ours > 0


@pytest.mark.parametrize('fault, message', [
    ('cams', 'the CAMs differ'),
    ('lil', 'loss_lil differs'),
    ('lig', 'loss_lig differs'),
    ('tokens', 'the gradients differ'),
    ('memory', 'prototypes.vectors differs'),
])
def test_differences_are_noticed(bench, args, monkeypatch, fault, message):
    build = bench.build_models

    def faulty(args):
        ours, other = build(args)
        if fault == 'cams':
            ours.cam_scales = (1, )
        elif fault == 'lil':
            ours.lil.noise_ratio = 1e-3
        elif fault == 'lig':
            ours.lig.temperature = .2
        elif fault == 'tokens':
            ours.backbone.cls_token.register_hook(lambda grad: grad * 2)
        else:
            ours.prototypes.momentum = .5
        return ours, other

    monkeypatch.setattr(bench, 'build_models', faulty)
    with pytest.raises(SystemExit, match=message):
        bench.measure(bench.parse_args(args))


def test_a_variant_is_refused(bench, args, tmp_path):
    config = tmp_path / 'fixed.py'
    config.write_text(f"_base_ = '{args[1]}'\nmodel = dict(faithful=False)")
    with pytest.raises(SystemExit, match='faithful=True'):
        bench.build_models(bench.parse_args(['--config', str(config)]))
