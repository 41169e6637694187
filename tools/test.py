# Copyright (c) mmktse authors. All rights reserved.
"""Tests a checkpoint; the figures go to metrics.json in the work directory."""
import argparse
import json
import os.path as osp
from typing import List

from mmengine.config import DictAction
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from mmktse.engine.config import (check_checkpoint, check_data_folders,
                                  load_config, set_work_dir)
from mmktse.engine.dist import allow_long_waits, setup_distributed
from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.pipeline import METRICS
from mmktse.engine.test_time import crf_settings, enable_tta
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
        '--crf',
        action='store_true',
        help='refine the predictions by a dense CRF, as crf says')
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


def table_rows(metrics: dict,
               split: str,
               tta: bool = False,
               crf: bool = False) -> List[dict]:
    """Rows of the pipeline's table from the figures of the evaluators.

    Args:
        metrics (dict): Of ``Runner.test``.
        split (str): What the figures were measured on.
        tta (bool): Whether by several views. Defaults to False.
        crf (bool): Whether refined by a CRF. Defaults to False.

    Returns:
        list[dict]: 'what', 'split', 'refiner', 'mIoU' and 'tta' or, for
        seeds, the threshold and how it was chosen.
    """
    if 'mIoU' in metrics:
        return [
            dict(
                what='segmentation',
                split=split,
                tta='yes' if tta else 'no',
                refiner='dense CRF' if crf else 'none',
                mIoU=metrics['mIoU'])
        ]
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
    if args.crf:
        if not isinstance(cfg.test_evaluator, dict):
            raise ValueError('--crf replaces a single IoUMetric, but '
                             'test_evaluator is a list: leave one of it.')
        cfg.test_evaluator.update(
            type='mmktse.CRFIoUMetric', refiner=crf_settings(cfg))
    if args.out:
        if 'pseudo_labels' in cfg:
            raise ValueError('--out is for segmentation networks; the maps of '
                             'a CAM network are written by '
                             'tools/make_pseudo_labels.py.')
        cfg.test_evaluator.output_dir = args.out
    allow_long_waits(cfg)
    setup_distributed(cfg, args.launcher)
    runner = Runner.from_cfg(cfg)
    metrics = runner.test()
    if is_main_process():
        dataset = cfg.test_dataloader.dataset
        split = dataset.get('id_file') or dataset.get(
            'ann_file') or 'all images'
        rows = table_rows(metrics, split, args.tta, args.crf)
        result = dict(rows=rows, metrics=metrics)
        with atomic_write(osp.join(cfg.work_dir, METRICS), 'w') as file:
            json.dump(result, file, indent=1, default=float)


if __name__ == '__main__':
    main()
