# Copyright (c) mmktse authors. All rights reserved.
"""Runs a list of configs with several seeds each and prints the tables.

The same command goes on where it stopped and passes over what is finished; on
a machine with several GPUs start it once for each, with CUDA_VISIBLE_DEVICES.
"""
import argparse
import os.path as osp

from mmengine.config import DictAction

from mmktse.engine.config import load_config, set_work_dir
from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.study import Study
from mmktse.visualization import save_training_curves


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config with the list "rows"')
    parser.add_argument(
        '--work-dir', help='folder of the runs (default: work_dirs/CONFIG)')
    parser.add_argument(
        '--results',
        help='folder of the figures of finished runs (default: that of the '
        'config)')
    parser.add_argument(
        '--rows', nargs='+', help='rows to run and to show (default: all)')
    parser.add_argument(
        '--dry-run', action='store_true', help='only say what is done')
    parser.add_argument(
        '--table', action='store_true', help='only print the tables')
    parser.add_argument(
        '--curves',
        metavar='PNG',
        help='also draw what the trainings logged, with the range of the '
        'seeds')
    parser.add_argument(
        '--keys',
        nargs='+',
        default=['train/*'],
        help='values to draw, such as train/seed/oracle/mIoU; "train/loss*" '
        'stands for all that begin so (default: train/*)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config, for example data_root=DIR')
    return parser.parse_args()


@one_sentence_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config)
    if 'rows' not in cfg:
        raise ValueError(f'{args.config} has no "rows": it is not the config '
                         'of a study.')
    unknown = sorted(set(args.cfg_options or ()) - set(cfg))
    if unknown:
        raise ValueError(f'The study {args.config} has no settings {unknown}.')
    cfg.merge_from_dict(args.cfg_options or {})
    set_work_dir(cfg, args.config, args.work_dir)
    content = cfg._cfg_dict.to_dict()
    tools = osp.dirname(osp.dirname(osp.abspath(__file__)))
    study = Study(
        content['rows'], content['stages'], content['tables'], cfg.work_dir,
        args.results or cfg.results, tools, {
            key: value
            for key, value in content.items()
            if isinstance(value, (str, int, float))
        })
    if args.dry_run:
        print(study.describe())
        return
    if not args.table:
        study.run(args.rows)
    print(study.report(args.rows) or 'No run is finished yet.')
    if args.curves:
        save_training_curves(args.curves, study.curves(args.rows), args.keys)


if __name__ == '__main__':
    main()
