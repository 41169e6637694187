# Copyright (c) mmktse authors. All rights reserved.
"""Tests a checkpoint; the figures go to metrics.json in the work directory."""
import argparse
import json
import os.path as osp
from typing import List

from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from mmktse.engine.config import (check_checkpoint, check_data_folders,
                                  load_config, set_work_dir)
from mmktse.engine.dist import setup_distributed
from mmktse.engine.errors import one_sentence_errors
from mmktse.utils import atomic_write


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of the network')
    parser.add_argument('checkpoint', help='weights to test')
    parser.add_argument(
        '--work-dir',
        help='folder of log and figures (default: work_dirs/CONFIG_NAME)')
    parser.add_argument(
        '--out', metavar='DIR', help='folder to write predicted masks to')
    parser.add_argument(
        '--tta',
        action='store_true',
        help='several scales and flips, as tta_model and tta_pipeline say')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config, for example data_root=DIR')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser.parse_args()


def enable_tta(cfg: Config) -> None:
    """Wraps the model for test-time augmentation."""
    if 'tta_model' not in cfg or 'tta_pipeline' not in cfg:
        raise ValueError('--tta needs tta_model and tta_pipeline, which the '
                         'config lacks (a CAM config has its scales in the '
                         'test pipeline already).')
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.model = dict(cfg.tta_model, module=cfg.model)


def table_rows(metrics: dict, split: str) -> List[dict]:
    """Rows of the pipeline's table from the figures of the evaluators.

    Args:
        metrics (dict): Of ``Runner.test``.
        split (str): What the figures were measured on.

    Returns:
        list[dict]: 'what', 'split', 'mIoU' and, for seeds, the threshold and
        how it was chosen.
    """
    if 'mIoU' in metrics:
        return [dict(what='segmentation', split=split, mIoU=metrics['mIoU'])]
    return [
        dict(
            what='seed',
            split=split,
            threshold_source=source,
            refiner='none',
            **{
                name: metrics[f'seed/{source}/{name}']
                for name in ('mIoU', 'threshold', 'precision', 'recall')
            }) for source in ('oracle', 'fixed')
        if f'seed/{source}/mIoU' in metrics
    ]


@one_sentence_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    set_work_dir(cfg, args.config, args.work_dir)
    check_checkpoint(args.checkpoint)
    check_data_folders(cfg, ('test_dataloader', ))
    cfg.load_from = args.checkpoint
    cfg.resume = False
    cfg.custom_hooks = [
        *cfg.get('custom_hooks', []),
        dict(type='mmktse.FittingCheckpointHook')
    ]
    if args.tta:
        enable_tta(cfg)
    if args.out:
        if 'pseudo_labels' in cfg:
            raise ValueError('--out is for segmentation networks; the maps of '
                             'a CAM network are written by '
                             'tools/make_pseudo_labels.py.')
        cfg.test_evaluator.output_dir = args.out
    setup_distributed(cfg, args.launcher)
    runner = Runner.from_cfg(cfg)
    metrics = runner.test()
    if is_main_process():
        dataset = cfg.test_dataloader.dataset
        split = dataset.get('id_file') or dataset.get(
            'ann_file') or 'all images'
        result = dict(rows=table_rows(metrics, split), metrics=metrics)
        with atomic_write(osp.join(cfg.work_dir, 'metrics.json'), 'w') as file:
            json.dump(result, file, indent=1, default=float)


if __name__ == '__main__':
    main()
