# Copyright (c) mmktse authors. All rights reserved.
"""Makes a folder of pseudo labels with a trained CAM network.

Running the same command again goes on where a killed run stopped.
"""
import argparse
import json
import os.path as osp
from pathlib import Path
from typing import Optional, Sequence

from mmengine.config import DictAction
from mmengine.dist import is_main_process
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmktse.engine.config import (check_checkpoint, check_data_folders,
                                  load_config)
from mmktse.engine.dist import allow_long_waits, setup_distributed, sole_run
from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.label_maker import (PseudoLabelMaker, network_origin,
                                       stored_origin)
from mmktse.engine.pipeline import METRICS as METRICS_FILE
from mmktse.evaluation import (SeedMetric, evaluate_labels, evaluate_seeds,
                               load_choice, overlap_note)
from mmktse.registry import DATASETS, METRICS
from mmktse.seeds.manifest import LABELS, SEEDS, Manifest, read_manifest
from mmktse.utils import atomic_write


def threshold_or_file(text: str):
    """Argument type of a threshold: a number if it reads as one."""
    try:
        return float(text)
    except ValueError:
        return text


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
        type=threshold_or_file,
        metavar='NUMBER|FILE|oracle',
        help='background score; or the JSON of '
        'tools/analysis_tools/sweep_threshold.py, which chose it on a split; '
        'or "oracle": the one that is best against the masks of this very '
        'list (default: that of the config)')
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


def label_settings(cfg, threshold, choice: Optional[dict]) -> dict:
    """Arguments of the label maker from config and command line."""
    settings = dict(threshold=.3, threshold_source='fixed')
    settings.update(cfg.get('pseudo_labels', {}))
    if choice is not None:
        settings.update(
            threshold=choice['threshold'], threshold_source=choice['source'])
    elif threshold == 'oracle':
        settings['threshold_source'] = 'oracle'
    elif threshold is not None:
        settings.update(threshold=threshold, threshold_source='fixed')
    return settings


def seed_origin(cfg, args, settings: dict) -> dict:
    """What makes the seeds of this call, as the manifest will say it."""
    if args.from_seeds is not None:
        return stored_origin(args.from_seeds)['settings']
    return dict(
        network_origin(cfg, args.checkpoint)['settings'],
        cam_source=settings.get('cam_source', 'label'))


def run_network(cfg, args, settings: dict):
    """Runs the network where seeds are missing, then labels.

    Returns:
        BaseDataset: The images.
    """
    cfg.load_from = args.checkpoint
    cfg.work_dir = args.work_dir or osp.join(args.out, 'log')
    cfg.custom_hooks = [
        hook for hook in cfg.get('custom_hooks', [])
        if hook['type'] not in ('PseudoLabelHook', 'mmktse.PseudoLabelHook')
    ] + [
        dict(type='mmktse.FittingCheckpointHook'),
        dict(type='mmktse.PseudoLabelHook', out_dir=args.out, **settings)
    ]
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


def seed_protocol(cfg) -> dict:
    """How the config's SeedMetric measures, for the stored seeds."""
    evaluators = cfg.get('test_evaluator') or []
    for metric in [evaluators] if isinstance(evaluators, dict) else evaluators:
        kind = METRICS.get(metric['type'])
        if kind is not None and issubclass(kind, SeedMetric):
            return {
                key: metric[key]
                for key in ('thresholds', 'absent_as_zero') if key in metric
            }
    return {}


def record_choice(folder: str, choice: dict, ids: Sequence[str]) -> None:
    """Adds to a finished manifest what the threshold was chosen on."""
    content = read_manifest(folder)
    manifest = Manifest(folder, content['settings'], content['info'])
    manifest.start()
    manifest.finish(
        content['ids'],
        threshold_choice=dict(
            num_images=len(choice['ids']),
            overlap=len(set(choice['ids']) & set(ids)),
            ids_sha256=choice['ids_sha256'],
            seeds=choice['seeds']))


def measure(dataset, split: str, args, settings: dict, note: str,
            protocol: dict) -> dict:
    """Figures of seeds and labels against the masks.

    Args:
        dataset (BaseDataset): The images.
        split (str): Their list.
        args (Namespace): Command line.
        settings (dict): Arguments of the label maker.
        note (str): See :func:`mmktse.evaluation.overlap_note`.
        protocol (dict): thresholds and absent_as_zero of
            :func:`mmktse.evaluation.evaluate_seeds`.

    Returns:
        dict: 'rows' of a table and, if the seeds are there, what
        :func:`mmktse.evaluation.evaluate_seeds` returns.
    """
    keys = ('mIoU', 'precision', 'recall')
    result = dict(rows=[])
    source = settings['threshold_source'] + note
    seed_folder = Path(args.from_seeds or args.out) / SEEDS
    if seed_folder.is_dir():
        rates = evaluate_seeds(
            seed_folder,
            dataset,
            fixed_threshold=settings['threshold'],
            num_workers=settings.get('num_workers'),
            **protocol)
        result.update(rates)
        # With "oracle" the threshold of the config is shown beside it.
        chosen = dict(
            oracle='oracle', fixed='fixed' if source == 'oracle' else source)
        for which, text in chosen.items():
            result['rows'].append(
                dict(
                    what='seed',
                    split=split,
                    threshold=rates[which]['threshold'],
                    threshold_source=text,
                    refiner='none',
                    **{key: rates[which][key]
                       for key in keys}))
    if is_main_process():
        labels = evaluate_labels(
            Path(args.out) / LABELS, dataset,
            protocol.get('absent_as_zero', False))
        if settings.get('background_alpha') is not None:
            alpha = settings['background_alpha']
            source = f'not used: background (1 - CAM)^{alpha:g}'
        result['labels'] = labels
        result['rows'].append(
            dict(
                what='pseudo labels',
                split=split,
                threshold=read_manifest(args.out)['threshold'],
                threshold_source=source,
                refiner=(settings.get('refiner') or dict(type='none'))['type'],
                **{key: labels[key]
                   for key in (*keys, 'coverage')}))
    return result


def make(cfg, args, settings: dict, choice: Optional[dict]) -> None:
    """Makes the labels, and measures them where there are masks."""
    work = run_network if args.from_seeds is None else label_seeds
    dataset = work(cfg, args, settings)
    samples = [dataset.get_data_info(i) for i in range(len(dataset))]
    ids = [sample['img_id'] for sample in samples]
    if choice and is_main_process():
        record_choice(args.out, choice, ids)
    masks = [sample.get('seg_map_path') for sample in samples]
    if args.no_eval or not all(m and osp.isfile(m) for m in masks):
        return
    source = cfg.test_dataloader.dataset
    split = source.get('id_file') or source.get('ann_file') or 'all images'
    note = overlap_note(choice, ids) if choice else ''
    result = measure(dataset, split, args, settings, note,
                     settings['seed_protocol'])
    if is_main_process():
        with atomic_write(osp.join(args.out, METRICS_FILE), 'w') as file:
            json.dump(result, file, indent=1)
        for row in result['rows']:
            print('{what}: mIoU {mIoU:.2f}, precision {precision:.2f}, recall '
                  '{recall:.2f} on {split}, threshold {threshold:.2f} '
                  '({threshold_source}), refiner {refiner}'.format(**row))


@one_sentence_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    check_data_folders(cfg, ['test_dataloader'])
    if args.checkpoint is not None:
        check_checkpoint(args.checkpoint)
    choice = None
    if isinstance(args.threshold, str) and args.threshold != 'oracle':
        choice = load_choice(args.threshold)
    settings = label_settings(cfg, args.threshold, choice)
    if choice and choice['seeds'] != seed_origin(cfg, args, settings):
        settings['threshold_source'] += ', on other seeds'
    settings['seed_protocol'] = seed_protocol(cfg)
    allow_long_waits(cfg)
    setup_distributed(cfg, args.launcher)
    with sole_run(args.out):
        make(cfg, args, settings, choice)


if __name__ == '__main__':
    main()
