# Copyright (c) mmktse authors. All rights reserved.
"""Runs the stages of a pipeline in order and prints the table of figures.

The same command after an interruption goes on where it stopped.
"""
import argparse
import os.path as osp

from mmengine.config import DictAction

from mmktse.engine.config import load_config, set_work_dir
from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.pipeline import Pipeline


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config with the list "stages"')
    parser.add_argument(
        '--work-dir',
        help='folder of all stages (default: work_dirs/CONFIG_NAME)')
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='only say what would run, and what is done')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the pipeline config, for example '
        'data_root=DIR')
    return parser.parse_args()


@one_sentence_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config)
    if 'stages' not in cfg:
        raise ValueError(f'{args.config} has no "stages": it is not the '
                         'config of a pipeline.')
    unknown = sorted(set(args.cfg_options or ()) - set(cfg))
    if unknown:
        raise ValueError(
            f'The pipeline {args.config} has no settings {unknown}; those of '
            'its stages are changed in a config that inherits from it.')
    cfg.merge_from_dict(args.cfg_options or {})
    set_work_dir(cfg, args.config, args.work_dir)
    # Texts and numbers beside the stages are placeholders for them.
    variables = {
        key: value
        for key, value in cfg.items() if isinstance(value, (str, int, float))
    }
    pipeline = Pipeline(cfg._cfg_dict.to_dict()['stages'], cfg.work_dir,
                        osp.dirname(osp.abspath(__file__)), variables)
    if args.dry_run:
        print(pipeline.describe())
    else:
        print(pipeline.run() or 'No stage has measured anything.')


if __name__ == '__main__':
    main()
