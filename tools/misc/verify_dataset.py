# Copyright (c) mmktse authors. All rights reserved.
import argparse
import os.path as osp
from collections import Counter
from functools import partial
from inspect import isclass
from multiprocessing.pool import ThreadPool

from mmengine.config import DictAction
from mmengine.registry import init_default_scope
from mmengine.utils import track_iter_progress

from mmktse.datasets import ImageLevelDataset, SegListDataset
from mmktse.datasets.transforms import LoadImage
from mmktse.engine.config import load_config
from mmktse.engine.errors import one_sentence_errors
from mmktse.registry import DATASETS
from mmktse.seeds.label_io import load_label_map

# Beyond this many pixels seeds and masks get slow and large.
LONG_SIDE = 2000
LOADERS = ('warmup_dataloader', 'train_dataloader', 'val_dataloader',
           'test_dataloader')


def parse_args():
    parser = argparse.ArgumentParser(
        description='List everything that is wrong with the image-level data '
        'of a config, or with the list that a segmentation network is '
        'validated on. Exit status 1 if there is anything')
    parser.add_argument(
        'config', help='config of a CAM or segmentation stage, or of data')
    parser.add_argument(
        '--labels-only', action='store_true', help='do not open the images')
    parser.add_argument('--num-workers', type=int, default=4)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='as in training, for example data_root=DIR')
    return parser.parse_args()


def build_datasets(cfg):
    """Yields the different data sets of a config, not yet read.

    Yields:
        tuple[str, ImageLevelDataset | SegListDataset]: Name of the loader and
        data set.

    Raises:
        FileNotFoundError: If a class file is missing.
        ValueError: If the config does not say which classes there are.
    """
    init_default_scope(cfg.get('default_scope', 'mmktse'))
    seen = []
    for loader in LOADERS:
        node = (cfg.get(loader) or {}).get('dataset')
        while node is not None and 'dataset' in node:  # a wrapper
            node = node['dataset']
        settings = node and dict(
            node, pipeline=[], test_mode=True, lazy_init=True)
        if settings is None or settings in seen:
            continue
        seen.append(settings)
        with DATASETS.switch_scope_and_registry(None) as registry:
            kind = registry.get(settings['type'])
        # What is not registered is refused where it is built.
        if kind is None or isclass(kind) and issubclass(
                kind, (ImageLevelDataset, SegListDataset)):
            dataset = DATASETS.build(settings)
            classes = settings.get('metainfo', {}).get('classes')
            if isinstance(dataset, SegListDataset) and isinstance(
                    classes, str):
                raise ValueError(f'{cfg.filename} leaves the classes to the '
                                 'network: give the config of one.')
            yield loader, dataset


def check_files(data, num_classes):
    """Looks at an image and its label map, as far as they exist.

    Returns:
        tuple[list[str], int]: A sentence per problem, and the longer side of
        the image.
    """
    problems = []
    if not osp.isfile(data['img_path']):
        return problems, 0  # is in the list of problems already
    size = None
    try:
        size = LoadImage()(dict(img_path=data['img_path']))['img_shape']
    except OSError as error:
        problems.append(str(error))
    mask = data.get('seg_map_path')
    if mask is not None and osp.isfile(mask):
        try:
            load_label_map(mask, size, num_classes)
        except ValueError as error:
            problems.append(str(error))
    return problems, max(size or [0])


def class_notes(data_list, classes):
    """Sentences on classes that cannot be learnt from these labels."""
    count = Counter(c for data in data_list for c in data.get('gt_label', []))
    notes = []
    for index, name in enumerate(classes):
        if not count[index]:
            notes.append(f'Note: no image shows {name}.')
        elif count[index] == len(data_list) > 1:
            notes.append(f'Note: every image shows {name}: without images '
                         'that do not, its maps mean little.')
    return notes


def verify(dataset, labels_only=False, num_workers=4):
    """Lists all problems of a data set.

    Args:
        dataset (ImageLevelDataset | SegListDataset): Data set built with
            ``lazy_init=True``.
        labels_only (bool): Whether to leave images and label maps closed.
        num_workers (int): Number of threads that open them.

    Returns:
        tuple[list[dict], list[str], list[str]]: The samples, a sentence per
        problem, and notes on what is legal.
    """
    try:
        data_list, problems = dataset.scan()
    except (FileNotFoundError, ValueError) as error:
        return [], [str(error)], []
    classes = dataset.metainfo.get('classes')
    is_image_level = isinstance(dataset, ImageLevelDataset)
    notes = []
    if is_image_level and classes and data_list and not dataset.id_file:
        notes += class_notes(data_list, classes)
    if data_list and not labels_only:
        # Those of the other kind begin with background.
        number = classes and len(classes) - (not is_image_level)
        check = partial(check_files, num_classes=number)
        large = 0
        with ThreadPool(num_workers) as pool:
            found = track_iter_progress((pool.imap(check,
                                                   data_list), len(data_list)))
            for item, long_side in found:
                problems += item
                large += long_side > LONG_SIDE
        print()
        if large:
            notes.append(
                f'Note: {large} images have a side of more than {LONG_SIDE} '
                'pixels: labels and masks of that size take time and space. '
                'Consider smaller copies.')
    return data_list, problems, notes


@one_sentence_errors
def main():
    args = parse_args()
    total = checked = 0
    try:
        for loader, dataset in build_datasets(
                load_config(args.config, args.cfg_options)):
            print(f'{loader}: {dataset.source}')
            data_list, problems, notes = verify(dataset, args.labels_only,
                                                args.num_workers)
            masks = sum(
                osp.isfile(data.get('seg_map_path', '')) for data in data_list)
            for line in (*problems, *notes):
                print(line)
            print(
                f'{len(problems)} problems; {len(data_list)} ids, {masks} of '
                'them with a label map')
            total += len(problems)
            checked += 1
    except FileNotFoundError as error:
        raise SystemExit(str(error)) from error
    if not checked:
        raise ValueError(f'{args.config} has no data set that this tool can '
                         'check, image-level data or a SegListDataset.')
    raise SystemExit(int(total > 0))


if __name__ == '__main__':
    main()
