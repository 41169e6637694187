# Copyright (c) mmktse authors. All rights reserved.
"""Makes a folder of pseudo labels with a trained CAM network.

Running the same command again goes on where a killed run stopped.
"""
import argparse
import json
import os.path as osp
from pathlib import Path

from mmengine.config import DictAction
from mmengine.dist import init_dist, is_distributed, is_main_process
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmktse.engine.config import (check_checkpoint, check_data_folders,
                                  load_config)
from mmktse.engine.dist import setup_distributed
from mmktse.engine.errors import one_sentence_errors
from mmktse.evaluation import evaluate_labels, evaluate_seeds
from mmktse.registry import DATASETS
from mmktse.seeds.label_maker import PseudoLabelMaker, stored_origin
from mmktse.seeds.manifest import LABELS, SEEDS, read_manifest
from mmktse.utils import atomic_write


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of the CAM network')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='weights of the CAM network; not needed with --from-seeds')
    parser.add_argument(
        '--out', required=True, help='pseudo-label folder to make')
    parser.add_argument(
        '--from-seeds',
        metavar='DIR',
        help='label the seeds of this pseudo-label folder once more, with '
        'other settings, without running the network')
    parser.add_argument(
        '--threshold',
        type=lambda text: text if text == 'oracle' else float(text),
        help='background score, or "oracle": the one that is best against '
        'the masks of this very list (default: that of the config)')
    parser.add_argument(
        '--no-eval',
        action='store_true',
        help='do not measure seeds and labels where there are masks')
    parser.add_argument(
        '--work-dir', help='folder of the log (default: OUT/log)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config, for example '
        'data_root=DIR pseudo_labels.refiner.type=LabelCRFRefiner')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    if (args.checkpoint is None) == (args.from_seeds is None):
        parser.error('give a checkpoint or --from-seeds, one of the two')
    return args


def label_settings(cfg, threshold) -> dict:
    """Arguments of the label maker from config and command line."""
    settings = dict(cfg.get('pseudo_labels', {}))
    if threshold == 'oracle':
        settings['threshold_source'] = 'oracle'
    elif threshold is not None:
        settings.update(threshold=float(threshold), threshold_source='fixed')
    return settings


def run_network(cfg, args, settings: dict):
    """Runs the network where seeds are missing, then labels.

    Returns:
        BaseDataset: The images.
    """
    check_checkpoint(args.checkpoint)
    cfg.load_from = args.checkpoint
    cfg.work_dir = args.work_dir or osp.join(args.out, 'log')
    cfg.custom_hooks = [
        hook for hook in cfg.get('custom_hooks', [])
        if hook['type'] not in ('PseudoLabelHook', 'mmktse.PseudoLabelHook')
    ] + [dict(type='mmktse.PseudoLabelHook', out_dir=args.out, **settings)]
    cfg.test_cfg = cfg.get('test_cfg') or dict()
    # The stored seeds are measured instead: those of all runs together.
    cfg.test_evaluator = []
    runner = Runner.from_cfg(cfg)
    runner.test()
    return runner.test_loop.dataloader.dataset


def label_seeds(cfg, args, settings: dict):
    """Labels stored seeds.

    Returns:
        BaseDataset: The images.
    """
    if args.launcher != 'none' and not is_distributed():
        init_dist(args.launcher, **cfg.env_cfg.dist_cfg)
    init_default_scope(cfg.get('default_scope', 'mmktse'))
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    maker = PseudoLabelMaker(
        args.out,
        dataset,
        stored_origin(args.from_seeds, args.config),
        seed_folder=args.from_seeds,
        **settings)
    missing = maker.start()
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {len(dataset)} images, such as '
            f'{maker.ids[missing[0]]}, have no seed in {args.from_seeds}.')
    maker.make_labels()
    return dataset


def measure(dataset, split: str, args, settings: dict) -> dict:
    """Figures of seeds and labels against the masks.

    Returns:
        dict: 'rows' of a table and, if the seeds are there, what
        :func:`mmktse.evaluation.evaluate_seeds` returns.
    """
    keys = ('mIoU', 'precision', 'recall')
    result = dict(rows=[])
    seed_folder = Path(args.from_seeds or args.out) / SEEDS
    if seed_folder.is_dir():
        rates = evaluate_seeds(
            seed_folder, dataset, fixed_threshold=settings['threshold'])
        result.update(rates)
        for source in ('oracle', 'fixed'):
            result['rows'].append(
                dict(
                    what='seed',
                    split=split,
                    threshold=rates[source]['threshold'],
                    threshold_source=source,
                    refiner='none',
                    **{key: rates[source][key]
                       for key in keys}))
    if is_main_process():
        labels = evaluate_labels(Path(args.out) / LABELS, dataset)
        result['labels'] = labels
        result['rows'].append(
            dict(
                what='pseudo labels',
                split=split,
                threshold=read_manifest(args.out)['threshold'],
                threshold_source=settings.get('threshold_source', 'fixed'),
                refiner=(settings.get('refiner') or dict(type='none'))['type'],
                **{key: labels[key]
                   for key in (*keys, 'coverage')}))
    return result


@one_sentence_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    check_data_folders(cfg, ['test_dataloader'])
    setup_distributed(cfg, args.launcher)
    settings = label_settings(cfg, args.threshold)
    settings.setdefault('threshold', 0.3)
    work = run_network if args.from_seeds is None else label_seeds
    dataset = work(cfg, args, settings)
    masks = [
        dataset.get_data_info(i).get('seg_map_path')
        for i in range(len(dataset))
    ]
    if args.no_eval or not all(m and osp.isfile(m) for m in masks):
        return
    source = cfg.test_dataloader.dataset
    split = source.get('id_file') or source.get('ann_file') or 'all images'
    result = measure(dataset, split, args, settings)
    if is_main_process():
        with atomic_write(osp.join(args.out, 'metrics.json'), 'w') as file:
            json.dump(result, file, indent=1)
        for row in result['rows']:
            print('{what}: mIoU {mIoU:.2f}, precision {precision:.2f}, recall '
                  '{recall:.2f} on {split}, threshold {threshold:.2f} '
                  '({threshold_source}), refiner {refiner}'.format(**row))


if __name__ == '__main__':
    main()
