# Copyright (c) mmktse authors. All rights reserved.
"""Shows what a training step of KTSE would do to a network.

Two tables: value and gradient of every term of the loss, averaged over some
batches; and, with --thresholds, the online labels that pairs of thresholds
give, measured against masks.
"""
import argparse
from collections import defaultdict
from typing import List

import numpy as np
import torch
from mmcv.image import imresize
from mmengine.config import DictAction
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from mmengine.utils import track_iter_progress

from mmktse.datasets.transforms import MultiScaleViews
from mmktse.engine.checkpoint import read_checkpoint
from mmktse.engine.config import (check_checkpoint, check_data_folders,
                                  load_config)
from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.hooks.fitting_checkpoint_hook import fitting_state
from mmktse.evaluation.label_evaluation import count_label_pixels, label_rates
from mmktse.evaluation.seed_metric import read_truth
from mmktse.models.classifiers import KTSE
from mmktse.models.utils import OnlineLabeler
from mmktse.registry import DATASETS, MODELS
from mmktse.utils import format_table


def pair(text: str) -> tuple:
    """Argument type of ``HIGH,LOW``."""
    try:
        high, low = map(float, text.split(','))
        if not 0 <= low <= high <= 1:
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'"{text}" must read HIGH,LOW with 0 <= LOW <= HIGH <= 1, such as '
            '0.30,0.15') from None
    return high, low


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of a KTSE training')
    parser.add_argument(
        'checkpoint', help='weights, such as those at the end of the warm-up')
    parser.add_argument(
        '--batches', type=int, default=4, help='to average (default: 4)')
    parser.add_argument(
        '--thresholds',
        nargs='+',
        type=pair,
        default=[],
        metavar='HIGH,LOW',
        help='pairs of background scores of the online labels')
    parser.add_argument(
        '--split',
        metavar='ID_FILE',
        help='images whose masks measure the labels (default: those of '
        'test_dataloader)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config, for example data_root=DIR')
    return parser.parse_args()


def gradients(model: KTSE, dataset, batch_size: int, batches: int) -> str:
    """Table of the terms: value, gradient norm, both averaged."""
    model.train()
    weights = [p for p in model.parameters() if p.requires_grad]
    order = torch.randperm(len(dataset)).tolist()
    rates = defaultdict(list)
    for start in range(0, batches * batch_size, batch_size):
        batch = order[start:start + batch_size]
        data = model.data_preprocessor(
            pseudo_collate([dataset[index] for index in batch]), True)
        for name, value in model.loss(**data).items():
            row = rates[name]
            norm = None
            if name.startswith('loss'):
                grads = torch.autograd.grad(
                    value, weights, retain_graph=True, allow_unused=True)
                norm = float(
                    sum(g.square().sum() for g in grads if g is not None))
            row.append((value.item(), norm and norm**.5))
    rows = []
    for name, pairs in rates.items():
        values, norms = zip(*pairs)
        rows.append(
            dict(
                term=name,
                value=np.mean(values),
                norm=None if None in norms else np.mean(norms)))
    return format_table(rows, [('term', 'term', ''), ('value', 'value', '.3f'),
                               ('norm', 'gradient norm', '.3f')])


@torch.no_grad()
def online_labels(model: KTSE, dataset, settings: dict,
                  thresholds: List[tuple]) -> str:
    """Table of the labels that pairs of thresholds give."""
    model.eval()
    labelers = [
        OnlineLabeler(**dict(settings, thresholds=pair)) for pair in thresholds
    ]
    num_classes = model.head.num_classes
    counts = np.zeros((len(labelers), num_classes + 1, num_classes + 2), int)
    for index in track_iter_progress(range(len(dataset))):
        data = model.data_preprocessor(pseudo_collate([dataset[index]]), False)
        (image, ), = data['inputs']
        sample, image = data['data_samples'][0], image[None]
        scores = model(image)
        targets = model.targets([sample], scores)
        image = model.data_preprocessor.denormalize(image)
        for count, labeler in zip(counts, labelers):
            label = labeler(image, scores, targets, [len(sample.gt_label)])
            label = label[0].byte().numpy()
            # Large images are labelled, and measured, at a smaller size.
            truth = read_truth(sample.metainfo, sample.ori_shape, num_classes)
            truth = imresize(truth, label.shape[::-1], interpolation='nearest')
            count += count_label_pixels(label, truth, num_classes)
    rows = []
    for pair, count in zip(thresholds, counts):
        rates = label_rates(count)
        rows.append(
            dict(
                rates,
                pair='{:.2f}, {:.2f}'.format(*pair),
                labelled=100 * count[:, 1:-1].sum() / count.sum(),
                true=100 * count[1:].sum() / count.sum(),
                void=100 - rates['coverage']))
    return format_table(rows, [('pair', 'thresholds', ''),
                               ('labelled', 'foreground', '.1f'),
                               ('true', 'true foreground', '.1f'),
                               ('void', 'ignored', '.1f'),
                               ('mIoU', 'mIoU', '.1f'),
                               ('precision', 'precision', '.1f'),
                               ('recall', 'recall', '.1f')])


@one_sentence_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    check_data_folders(cfg, ('train_dataloader', 'test_dataloader'))
    check_checkpoint(args.checkpoint)
    init_default_scope(cfg.get('default_scope', 'mmktse'))
    set_random_seed(cfg.randomness.seed)
    model = MODELS.build(cfg.model)
    if not isinstance(model, KTSE):
        raise ValueError(f'{args.config} does not train a KTSE network, but '
                         f'a {type(model).__name__}.')
    checkpoint = read_checkpoint(args.checkpoint)
    model.load_state_dict(fitting_state(model, checkpoint), strict=False)
    train = DATASETS.build(cfg.train_dataloader.dataset)
    batch_size = cfg.train_dataloader.batch_size
    if not 0 < args.batches * batch_size <= len(train):
        raise ValueError(f'{args.batches} batches of {batch_size} cannot be '
                         f'drawn from {len(train)} images.')
    print(gradients(model, train, batch_size, args.batches))
    if not args.thresholds:
        return
    source = cfg.test_dataloader.dataset
    if args.split:
        source.id_file = args.split
    dataset = DATASETS.build(source)
    for transform in dataset.pipeline.transforms:
        if isinstance(transform, MultiScaleViews):
            transform.scales = (1., )  # as in training
    print(
        online_labels(model, dataset, cfg.model.get('labeler', {}),
                      args.thresholds))


if __name__ == '__main__':
    main()
