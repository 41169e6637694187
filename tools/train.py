# Copyright (c) mmktse authors. All rights reserved.
"""Trains a CAM network or a segmentation network."""
import argparse
from urllib.error import URLError

from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.runner import Runner

from mmktse.engine.checkpoint import latest_checkpoint
from mmktse.engine.config import (check_checkpoint, check_data_folders,
                                  check_pretrained, load_config,
                                  pretrained_weights, set_work_dir,
                                  without_weights)
from mmktse.engine.dist import setup_distributed, sole_run
from mmktse.engine.errors import one_sentence_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of the training')
    parser.add_argument(
        '--work-dir',
        help='folder of log and checkpoints (default: work_dirs/CONFIG_NAME)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or from the last one in the work '
        'directory; starts anew where there is none yet')
    parser.add_argument(
        '--amp',
        action='store_true',
        help='automatic mixed precision (bfloat16), on a GPU')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config, for example data_root=DIR '
        'model.backbone.init_cfg=None')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none')
    # torch.distributed.launch passes it; torchrun sets the variable instead.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser.parse_args()


def enable_amp(cfg: Config) -> None:
    """Switches the optimizer wrapper to mixed precision."""
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ValueError('--amp works with the optimizer wrapper '
                         f'"OptimWrapper", not with "{kind}".')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('dtype', 'bfloat16')
    if cfg.optim_wrapper.dtype == 'bfloat16':
        # It has the range of float32, and a scaler would leave out steps that
        # FiniteStepHook is to see.
        cfg.optim_wrapper.setdefault('loss_scale', dict(enabled=False))


def check_amp(cfg: Config) -> None:
    """Refuses mixed precision on a CPU, which MMEngine does not train with."""
    if (cfg.optim_wrapper.get('type') == 'AmpOptimWrapper'
            and get_device() == 'cpu'):
        raise ValueError(
            'Mixed precision (--amp, or the AmpOptimWrapper of the config) '
            'needs a GPU, and none was found: leave --amp away, or take a '
            'config without it.')


def set_resume(cfg: Config, resume) -> None:
    """Sets what to go on from; without ``--resume`` the config decides."""
    if resume == 'auto':
        resume = latest_checkpoint(cfg.work_dir)
        cfg.resume = resume is not None
    elif resume is not None:
        cfg.resume = True
    # Where there is nothing to go on from, the config's load_from stays.
    cfg.load_from = resume or cfg.get('load_from')
    if cfg.load_from:
        check_checkpoint(cfg.load_from)
    if cfg.get('resume'):
        cfg.custom_hooks = [
            *cfg.get('custom_hooks', []),
            dict(type='mmktse.FittingCheckpointHook')
        ]


def train(cfg: Config) -> None:
    """Runs the training."""
    runner = Runner.from_cfg(cfg)
    try:
        runner.train()
    except URLError as error:
        path, file = next(
            iter((p, f) for p, f in pretrained_weights(cfg) if '://' in f),
            ('model.init_cfg', 'of the model'))
        raise FileNotFoundError(
            f'The pretrained weights {file} ({path}) cannot be downloaded '
            f'({error.reason}): {without_weights(path)}.') from error


@one_sentence_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    set_work_dir(cfg, args.config, args.work_dir)
    check_data_folders(
        cfg, ('train_dataloader', 'warmup_dataloader', 'val_dataloader'))
    # The Runner reads them before it resumes, too.
    check_pretrained(cfg)
    if args.amp:
        enable_amp(cfg)
    check_amp(cfg)
    setup_distributed(cfg, args.launcher)
    with sole_run(cfg.work_dir):
        # Not before: another run may be writing checkpoints.
        set_resume(cfg, args.resume)
        train(cfg)


if __name__ == '__main__':
    main()
