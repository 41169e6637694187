# Copyright (c) mmktse authors. All rights reserved.
import inspect
import os.path as osp
from difflib import get_close_matches
from typing import Any, Iterator, Optional, Sequence, Tuple

from mmengine.config import Config
from mmengine.runner import Runner

from mmktse.datasets import ImageLevelDataset
from mmktse.datasets.image_labels import read_classes
from mmktse.registry import DATASETS

# Given once on the command line, these reach every part of a config.
SHARED_OPTIONS = dict(data_root=str, pseudo_label_dir=str, max_long=int)
# What a config need not hold, beside the settings of the Runner.
_OWN_OPTIONS = (*SHARED_OPTIONS, 'pseudo_labels', 'crf', 'tta_model',
                'tta_pipeline')
# What the Runner reads from the config without having an argument for it.
_RUNNER_OPTIONS = ('activation_checkpointing', 'compile',
                   'efficient_conv_bn_eval', 'find_unused_parameters',
                   'model_wrapper_cfg', 'sync_bn')


def load_config(path: str, cfg_options: Optional[dict] = None) -> Config:
    """Reads a config and applies the options of the command line.

    ``data_root``, ``pseudo_label_dir`` and ``max_long`` among the options
    replace the value in everything that has one, wrapped data sets included;
    an option that names a single one (``test_dataloader.dataset.data_root``)
    still wins.

    Args:
        path (str): Config file.
        cfg_options (dict, optional): Dotted names and values.

    Returns:
        Config: The config.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If nothing knows an option, or one of these is no path or
            no number of pixels.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'There is no config {path}.')
    cfg = Config.fromfile(path)
    options = dict(cfg_options or {})
    _check_options(cfg, options)
    for name, kind in SHARED_OPTIONS.items():
        if name in options:
            if not isinstance(options[name], kind):
                what = (
                    'no path: write ./NAME for a name of digits alone, and '
                    'rename or link a folder that has a comma in its name'
                    if kind is str else 'no number of pixels')
                raise ValueError(f'The option {name} reads as '
                                 f'{options[name]!r}, which is {what}.')
            _replace(cfg._cfg_dict, name, options[name])
    cfg.merge_from_dict(options)
    _fill_classes(cfg)
    return cfg


def _check_options(cfg: Config, options: dict) -> None:
    """Refuses an option that would change nothing.

    What lies deeper is refused by what is built from it.
    """
    known = {
        *cfg, *inspect.signature(Runner).parameters, *_RUNNER_OPTIONS,
        *_OWN_OPTIONS
    }
    for option in options:
        name = option.split('.')[0]
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f'; is {near[0]} meant?' if near else '.'
            raise ValueError(f'The option {option} is no setting of '
                             f'{cfg.filename}{hint}')


def _fill_classes(cfg: Config) -> None:
    """Reads the class list of the data where the config leaves it open.

    ``num_classes=None`` of a head becomes the number of classes. In a
    segmentation config (scope mmseg) background comes first and counts, and
    the data sets get the names, as mmseg wants them; image-level ones among
    them read the list, which has no background, themselves.
    """
    datasets = [
        node for loader in cfg if loader.endswith('_dataloader')
        for _, node in _walk(cfg[loader], loader)
        if isinstance((node.get('metainfo') or {}).get('classes'), str)
    ]
    # A missing folder is reported by the tools, with its setting.
    if (not list(_open_heads(cfg.get('model'))) or not datasets
            or not osp.isdir(datasets[0]['data_root'])):
        return
    path = osp.join(datasets[0]['data_root'],
                    datasets[0]['metainfo']['classes'])
    names = list(read_classes(path))
    if cfg.get('default_scope') == 'mmseg':
        names.insert(0, 'background')
        for node in datasets:
            if not _is_image_level(node):
                node['metainfo']['classes'] = tuple(names)
    fill_num_classes(cfg.model, len(names))


def _is_image_level(node: dict) -> bool:
    with DATASETS.switch_scope_and_registry('mmseg') as registry:
        kind = registry.get(node['type'])
    return inspect.isclass(kind) and issubclass(kind, ImageLevelDataset)


def _open_heads(model: Any) -> Iterator[Tuple[str, dict]]:
    for path, node in _walk(model, 'model'):
        if 'num_classes' in node and node['num_classes'] is None:
            yield path, node


def fill_num_classes(model: dict, num_classes: int) -> None:
    """Replaces ``num_classes=None`` in the config of a model.

    Args:
        model (dict): The config; changed in place.
        num_classes (int): As the heads count them: a segmentation network
            with its background.

    Raises:
        ValueError: If heads of several kinds are open, as they might count
            differently. Those of the same name are of one kind, and so are
            ``decode_head`` and ``auxiliary_head``.
    """
    heads = dict(_open_heads(model))
    kinds = {
        path.rstrip('.0123456789').split('.')[-1].replace(
            'auxiliary', 'decode')
        for path in heads
    }
    if len(kinds) > 1:
        raise ValueError(
            'The number of classes is open (num_classes=None) in several '
            f'heads, {", ".join(heads)}, of which some may count the '
            'background: give the number of all but one kind of head.')
    for node in heads.values():
        node['num_classes'] = num_classes


def _replace(node: Any, name: str, value: str) -> None:
    if isinstance(node, dict):
        if name in node:
            node[name] = value
        for child in node.values():
            _replace(child, name, value)
    elif isinstance(node, (list, tuple)):
        for child in node:
            _replace(child, name, value)


def _walk(node: Any, path: str) -> Iterator[Tuple[str, dict]]:
    """All dicts below a node with their dotted names."""
    if isinstance(node, dict):
        yield path, node
        for key, child in node.items():
            yield from _walk(child, f'{path}.{key}')
    elif isinstance(node, (list, tuple)):
        for index, child in enumerate(node):
            yield from _walk(child, f'{path}.{index}')


def check_data_folders(cfg: Config, loaders: Sequence[str]) -> None:
    """Refuses to start where a data folder is missing.

    Args:
        cfg (Config): The config.
        loaders (Sequence[str]): Names such as 'train_dataloader'; those that
            the config does not have are passed over.

    Raises:
        FileNotFoundError: One sentence with folder, setting and remedy.
    """
    for loader in loaders:
        for path, node in _walk(cfg.get(loader), loader):
            root = node.get('data_root')
            if root and '://' not in root and not osp.isdir(root):
                raise FileNotFoundError(
                    f'There is no data folder {root} ({path}.data_root): '
                    'give the right one with --cfg-options data_root=DIR.')
    _check_validation_list(cfg, loaders)


def _check_validation_list(cfg: Config, loaders: Sequence[str]) -> None:
    node = (cfg.get('val_dataloader') or {}).get('dataset', {})
    if 'val_dataloader' in loaders and node.get('ann_file'):
        path = osp.join(node.get('data_root') or '', node['ann_file'])
        if '://' not in path and not osp.exists(path):
            raise FileNotFoundError(
                f'There is no list {path} to validate on: write one, or train '
                'without validation with --cfg-options val_dataloader=None '
                'val_evaluator=None val_cfg=None.')


def pretrained_weights(cfg: Config) -> Iterator[Tuple[str, str]]:
    """Dotted names of the model's ``Pretrained`` settings, and their files.

    Yields:
        tuple[str, str]: For example ('model.backbone.init_cfg',
        'torchvision://resnet50').
    """
    for path, node in _walk(cfg.get('model'), 'model'):
        # Also "mmktse.TorchvisionMobileNetV2Pretrained" and the like.
        if str(node.get('type')).endswith('Pretrained') and node.get(
                'checkpoint'):
            yield path, node['checkpoint']


def without_weights(path: str) -> str:
    """How to start without the pretrained weights of a setting."""
    return (f'give a file that is there with --cfg-options '
            f'{path}.checkpoint=FILE, or train from random weights with '
            f'--cfg-options {path}=None')


def check_pretrained(cfg: Config) -> None:
    """Refuses to start where a file of pretrained weights is missing.

    Weights behind an address (``torchvision://``, ``https://``) are left to
    the download.

    Args:
        cfg (Config): The config.

    Raises:
        FileNotFoundError: One sentence with file, setting and remedy.
    """
    for path, file in pretrained_weights(cfg):
        if '://' not in file and not osp.isfile(osp.expanduser(file)):
            raise FileNotFoundError(
                f'There are no pretrained weights {file} ({path}); the README '
                'beside the config says where they come from: '
                f'{without_weights(path)}.')


def check_checkpoint(path: str) -> None:
    """Refuses a checkpoint that is not there.

    Raises:
        FileNotFoundError: One sentence.
    """
    if '://' not in path and not osp.isfile(path):
        raise FileNotFoundError(
            f'There is no checkpoint {path}: train one with tools/train.py, '
            'or give the right path.')


def set_work_dir(cfg: Config, config_path: str,
                 work_dir: Optional[str]) -> None:
    """Sets ``cfg.work_dir``: command line, then config, then config's name."""
    name = osp.splitext(osp.basename(config_path))[0]
    cfg.work_dir = work_dir or cfg.get('work_dir') or osp.join(
        'work_dirs', name)
