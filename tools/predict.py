# Copyright (c) mmktse authors. All rights reserved.
"""Segments a folder of images that need no annotations.

Running the same command again goes on where a killed run stopped.
"""
import argparse
import os.path as osp
from pathlib import Path
from typing import List

from mmengine.config import Config, DictAction
from mmengine.dist import barrier, is_main_process
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmktse.datasets.image_folder import find_images, image_root
from mmktse.datasets.image_labels import read_ids
from mmktse.engine.checkpoint import read_checkpoint
from mmktse.engine.config import (check_checkpoint, fill_num_classes,
                                  load_config)
from mmktse.engine.dist import allow_long_waits, setup_distributed, sole_run
from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.label_maker import network_origin
from mmktse.engine.test_time import (class_meta, crf_settings, enable_tta,
                                     image_pipeline)
from mmktse.evaluation import claim_folder, is_predicted
from mmktse.seeds.manifest import LABELS
from mmktse.utils import clear_partial_files


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of the segmentation network')
    parser.add_argument('checkpoint', help='its weights')
    parser.add_argument(
        'images', help='folder of images, subfolders included, or one image')
    parser.add_argument(
        '--out',
        required=True,
        metavar='DIR',
        help=f'folder to make: masks in {LABELS}, pictures in overlay')
    parser.add_argument(
        '--ids',
        metavar='LIST',
        help='text file whose lines start with the id of an image: its path '
        'below the folder, without suffix (default: all images)')
    parser.add_argument(
        '--tta',
        action='store_true',
        help='several scales and flips, as tta_model and tta_pipeline say')
    parser.add_argument(
        '--crf',
        action='store_true',
        help='refine the predictions by a dense CRF, as crf says')
    parser.add_argument(
        '--no-overlay', action='store_true', help='write masks only')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser.parse_args()


def prepare(cfg: Config, args: argparse.Namespace) -> dict:
    """Sets model, images and writer in the config.

    Returns:
        dict: Everything that shapes the masks, for the record of the folder.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    meta = class_meta(cfg, read_checkpoint(args.checkpoint))
    fill_num_classes(cfg.model, len(meta['classes']))
    if args.tta:
        enable_tta(cfg)
    refiner = crf_settings(cfg) if args.crf else None
    cfg.load_from = args.checkpoint
    cfg.resume = False
    cfg.work_dir = osp.join(args.out, 'log')
    cfg.custom_hooks = [dict(type='mmktse.FittingCheckpointHook')]
    cfg.test_dataloader = dict(
        cfg.test_dataloader,
        # Each image is written by one process.
        sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
        dataset=dict(
            type='mmktse.ImageFolderDataset',
            data_root=args.images,
            metainfo=meta,
            test_mode=True,
            pipeline=image_pipeline(cfg.test_dataloader.dataset.pipeline)))
    cfg.test_evaluator = dict(
        type='mmktse.PredictionWriter',
        out_dir=args.out,
        image_dir=str(image_root(args.images)),
        refiner=refiner,
        overlay=not args.no_overlay,
        num_workers=cfg.test_evaluator.get('num_workers'))
    cfg.test_cfg = cfg.get('test_cfg') or dict()
    return dict(
        network_origin(cfg, args.checkpoint)['settings'],
        images=str(image_root(args.images).resolve()),
        classes=meta['classes'],
        tta=args.tta,
        refiner=refiner)


def predict(cfg: Config, args: argparse.Namespace, ids: List[str]) -> None:
    """Segments the images that are not done yet."""
    settings = prepare(cfg, args)
    if is_main_process():
        claim_folder(args.out, settings)
    todo = [
        img_id for img_id in ids
        if not is_predicted(args.out, img_id, not args.no_overlay)
    ]
    print(f'{len(ids) - len(todo)} of {len(ids)} images are done.')
    if not todo:
        return
    cfg.test_dataloader.dataset.ids = todo
    runner = Runner.from_cfg(cfg)
    if is_main_process():
        clear_partial_files(args.out)
    barrier()  # nobody writes before all have looked
    runner.test()


@one_sentence_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    if cfg.get('default_scope') != 'mmseg':
        raise ValueError(f'{args.config} is not a segmentation network; the '
                         'maps of a CAM network are written by '
                         'tools/make_pseudo_labels.py.')
    check_checkpoint(args.checkpoint)
    images = find_images(args.images, args.ids and list(read_ids(args.ids)))
    if Path(args.out).resolve().is_relative_to(Path(args.images).resolve()):
        raise ValueError(f'--out {args.out} lies in {args.images}, so that '
                         'overlays would be taken for images later: choose a '
                         'folder elsewhere.')
    allow_long_waits(cfg)
    setup_distributed(cfg, args.launcher)
    with sole_run(args.out):
        predict(cfg, args, list(images))


if __name__ == '__main__':
    main()
