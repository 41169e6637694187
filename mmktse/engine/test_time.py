# Copyright (c) mmktse authors. All rights reserved.
"""What the tools change in the config of a segmentation network to test it."""
from typing import Sequence

from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine.config import Config

from mmktse.datasets.transforms import LoadMask
from mmktse.registry import DATASETS, TRANSFORMS
from mmktse.seeds.label_io import color_map


def enable_tta(cfg: Config) -> None:
    """Wraps the model for test-time augmentation.

    Raises:
        ValueError: If the config does not say how.
    """
    if 'tta_model' not in cfg or 'tta_pipeline' not in cfg:
        raise ValueError('--tta needs tta_model and tta_pipeline, which the '
                         'config lacks (a CAM config has its scales in the '
                         'test pipeline already).')
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.model = dict(cfg.tta_model, module=cfg.model)


def crf_settings(cfg: Config) -> dict:
    """Config of the refiner of predictions.

    Raises:
        ValueError: If the config has none.
    """
    if 'crf' not in cfg:
        raise ValueError(
            '--crf needs a setting crf, which the config lacks (a CAM config '
            'refines its labels by pseudo_labels.refiner): inherit it from '
            'configs/_base_/seg_runtime.py.')
    return cfg.crf


def image_pipeline(pipeline: Sequence) -> list:
    """A test pipeline for images that have no masks.

    Args:
        pipeline (Sequence): Configs of transforms; those of ``TestTimeAug``
            are changed as well.

    Returns:
        list: Without the loader of masks, and with a loader that names a bad
        file.
    """
    steps: list = []
    for step in pipeline:
        if isinstance(step, (list, tuple)):
            # TestTimeAug takes one step of each list: none may be empty.
            branch = image_pipeline(step)
            steps += [branch] if branch else []
            continue
        with TRANSFORMS.switch_scope_and_registry(None) as registry:
            kind = registry.get(step['type']) or object
        if issubclass(kind, (LoadAnnotations, LoadMask)):
            continue
        if kind is LoadImageFromFile:
            step = dict(step, type='mmktse.LoadImage')
        if 'transforms' in step:
            step = dict(step, transforms=image_pipeline(step['transforms']))
        steps.append(step)
    return steps


def class_meta(cfg: Config, checkpoint: dict) -> dict:
    """Classes and colours of a segmentation network.

    Those that it was trained with, as its checkpoint says, need no data; else
    those of the config's test data are taken.

    Args:
        cfg (Config): Config of the network.
        checkpoint (dict): Content of the checkpoint.

    Returns:
        dict: 'classes' (background included) and 'palette'.

    Raises:
        ValueError: If neither names the classes.
    """
    meta = (checkpoint.get('meta') or {}).get('dataset_meta') or {}
    if not meta.get('classes'):
        dataset = cfg.test_dataloader.dataset
        meta = dataset.get('metainfo') or {}
        # The name of a file stands for classes of data that are not there.
        if isinstance(meta.get('classes', ''), str):
            with DATASETS.switch_scope_and_registry(None) as registry:
                meta = registry.get(dataset.type).METAINFO
    classes = meta.get('classes')
    if not classes:
        raise ValueError(
            'Neither checkpoint nor config names the classes: give the data '
            'folder with --cfg-options data_root=DIR.')
    palette = meta.get('palette') or color_map()[:len(classes)]
    return dict(
        classes=list(classes),
        palette=[[int(value) for value in color] for color in palette])
