# Copyright (c) mmktse authors. All rights reserved.
"""Child registries of MMEngine's root registries, all in scope ``mmktse``.

``locations`` lets MMEngine import the modules on first use, so that a config
needs no ``custom_imports`` once ``mmktse`` itself is imported.
"""
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import FUNCTIONS as MMENGINE_FUNCTIONS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import PARAM_SCHEDULERS as MMENGINE_PARAM_SCHEDULERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISBACKENDS as MMENGINE_VISBACKENDS
from mmengine.registry import WEIGHT_INITIALIZERS as MMENGINE_INITIALIZERS
from mmengine.registry import Registry

DATASETS = Registry(
    'dataset',
    parent=MMENGINE_DATASETS,
    scope='mmktse',
    locations=['mmktse.datasets'])
TRANSFORMS = Registry(
    'transform',
    parent=MMENGINE_TRANSFORMS,
    scope='mmktse',
    locations=['mmktse.datasets.transforms'])
MODELS = Registry(
    'model',
    parent=MMENGINE_MODELS,
    scope='mmktse',
    locations=['mmktse.models'])
HOOKS = Registry(
    'hook',
    parent=MMENGINE_HOOKS,
    scope='mmktse',
    locations=['mmktse.engine.hooks'])
LOOPS = Registry(
    'loop',
    parent=MMENGINE_LOOPS,
    scope='mmktse',
    locations=['mmktse.engine.runner'])
PARAM_SCHEDULERS = Registry(
    'parameter scheduler',
    parent=MMENGINE_PARAM_SCHEDULERS,
    scope='mmktse',
    locations=['mmktse.engine.schedulers'])
METRICS = Registry(
    'metric',
    parent=MMENGINE_METRICS,
    scope='mmktse',
    locations=['mmktse.evaluation'])
FUNCTIONS = Registry(
    'function',
    parent=MMENGINE_FUNCTIONS,
    scope='mmktse',
    locations=['mmktse.datasets'])
WEIGHT_INITIALIZERS = Registry(
    'weight initializer',
    parent=MMENGINE_INITIALIZERS,
    scope='mmktse',
    locations=['mmktse.models'])
# Nothing of ours, but MMEngine looks for every registry of a scope.
VISBACKENDS = Registry(
    'vis_backend',
    parent=MMENGINE_VISBACKENDS,
    scope='mmktse',
    locations=['mmktse.visualization'])
