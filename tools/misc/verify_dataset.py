# Copyright (c) mmktse authors. All rights reserved.
import argparse
import os.path as osp
from functools import partial
from multiprocessing.pool import ThreadPool

from mmengine.config import DictAction
from mmengine.registry import init_default_scope
from mmengine.utils import track_iter_progress

from mmktse.datasets import ImageLevelDataset
from mmktse.datasets.transforms import LoadImage
from mmktse.engine.config import load_config
from mmktse.engine.errors import one_sentence_errors
from mmktse.registry import DATASETS
from mmktse.seeds.label_io import load_label_map

LOADERS = ('warmup_dataloader', 'train_dataloader', 'val_dataloader',
           'test_dataloader')


def parse_args():
    parser = argparse.ArgumentParser(
        description='List everything that is wrong with the image-level data '
        'of a config. Exit status 1 if there is anything')
    parser.add_argument('config', help='config of a CAM stage, or of data')
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
    """Yields the different image-level data sets of a config, not yet read.

    Yields:
        tuple[str, ImageLevelDataset]: Name of the loader and data set.

    Raises:
        FileNotFoundError: If a class file is missing.
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
        dataset = DATASETS.build(settings)
        if isinstance(dataset, ImageLevelDataset):
            yield loader, dataset


def check_files(data, num_classes):
    """Problems of an image and of its label map, as far as they exist."""
    problems = []
    if not osp.isfile(data['img_path']):
        return problems  # is in the list of problems already
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
    return problems


def verify(dataset, labels_only=False, num_workers=4):
    """Lists all problems of a data set.

    Args:
        dataset (ImageLevelDataset): Data set built with ``lazy_init=True``.
        labels_only (bool): Whether to leave images and label maps closed.
        num_workers (int): Number of threads that open them.

    Returns:
        tuple[list[dict], list[str]]: The samples, and a sentence per
        problem.
    """
    try:
        data_list, problems = dataset.scan()
    except (FileNotFoundError, ValueError) as error:
        return [], [str(error)]
    if data_list and not labels_only:
        classes = dataset.metainfo.get('classes')
        check = partial(check_files, num_classes=classes and len(classes))
        with ThreadPool(num_workers) as pool:
            found = track_iter_progress((pool.imap(check,
                                                   data_list), len(data_list)))
            for item in found:
                problems += item
        print()
    return data_list, problems


@one_sentence_errors
def main():
    args = parse_args()
    total = 0
    try:
        for loader, dataset in build_datasets(
                load_config(args.config, args.cfg_options)):
            print(f'{loader}: {dataset.source}')
            data_list, problems = verify(dataset, args.labels_only,
                                         args.num_workers)
            masks = sum(
                osp.isfile(data.get('seg_map_path', '')) for data in data_list)
            print(*problems, sep='\n', end='\n' if problems else '')
            print(
                f'{len(problems)} problems; {len(data_list)} ids, {masks} of '
                'them with a label map')
            total += len(problems)
    except FileNotFoundError as error:
        raise SystemExit(str(error)) from error
    raise SystemExit(int(total > 0))


if __name__ == '__main__':
    main()
