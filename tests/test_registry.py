# Copyright (c) mmktse authors. All rights reserved.
import subprocess
import sys

import pytest
from mmengine.registry import Registry

from mmktse import registry

REGISTRIES = {
    name: value
    for name, value in vars(registry).items()
    if isinstance(value, Registry) and value.scope == 'mmktse'
}
# One registered name each: it must be found without an import by hand.
NAMES = dict(
    DATASETS='ImageLevelDataset',
    TRANSFORMS='LoadImage',
    MODELS='KTSE',
    HOOKS='PseudoLabelHook',
    LOOPS='WarmupTrainLoop',
    PARAM_SCHEDULERS='FlooredPolyLR',
    METRICS='SeedMetric',
    FUNCTIONS='seed_worker',
    WEIGHT_INITIALIZERS='EfficientNetLite0Pretrained')


def test_every_registry_hangs_below_mmengine():
    for value in REGISTRIES.values():
        assert value.parent.scope == 'mmengine'
        assert value.parent.children['mmktse'] is value


def test_names_are_found_in_a_fresh_process():
    lines = ['from mmktse import registry']
    for name, entry in NAMES.items():
        lines += [
            f'root = registry.{name}.parent',
            f'assert registry.{name}.get({entry!r}), {entry!r}',
            f'assert root.get("mmktse.{entry}"), {entry!r}'
        ]
    done = subprocess.run([sys.executable, '-c', '\n'.join(lines)],
                          capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('name', ['MODELS', 'DATASETS'])
def test_stock_pieces_are_reached_by_scope(name):
    entry = dict(MODELS='ResNet', DATASETS='VOC')[name]
    found = REGISTRIES[name].get(f'mmpretrain.{entry}')
    assert found.__module__.startswith('mmpretrain.')
    assert REGISTRIES[name].get('mmktse.NoSuchThing') is None
