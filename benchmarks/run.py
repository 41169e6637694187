# Copyright (c) mmktse authors. All rights reserved.
"""Runs the benchmarks one after the other and writes one table.

Each is the module of its name in this folder and can be run alone.
"""
import argparse
import importlib
import json

import common
import torch

from mmktse.utils import atomic_write

SMALL = '--config ' + common.SMALL_CONFIG
# Name, then the arguments of every run of it.
RUNS = dict(
    ktse_step=[
        '--crop 160 --stages', f'{SMALL} --crop 224 --stages', '--repeats 3 '
        f'--config {common.ROOT}/configs/ktse/ktse_resnet38d_voc.py --crop 96'
    ],
    cam_inference=['', '--classes 80 --size 480x640'],
    par=[''],
    label_making=[''],
    threshold_sweep=['--repeats 3', '--all-thresholds'],
    crf_pool=['--images 120'],
    data_loading=[''],
    random_walk=[''],
    dilated_depthwise=['--repeats 4'])
# Where there is a GPU, in addition.
CUDA = dict(
    ktse_step=[
        '--device cuda --crop 320 --bf16 --stages',
        '--device cuda --crop 320 --bf16 --compile'
    ],
    cam_inference=['--device cuda --images 64 --batch 16 --bf16'])
QUICK = dict(
    ktse_step=[f'{SMALL} --crop 64 --batch 6 --repeats 1 --stages'],
    cam_inference=[
        '--images 3 --size 40x56 --classes 4 --repeats 1 --batch 3'
    ],
    par=['--batch 2 --crop 64 --classes 4 --repeats 1'],
    label_making=['--images 3 --size 24x32 --classes 4 --workers 0'],
    threshold_sweep=['--images 12 --size 60x50 --classes 3'],
    crf_pool=['--images 3 --size 24x32 --classes 4 --workers 1'],
    data_loading=[
        '--images 8 --size 60x80 --classes 3 --batch 4 --crop 64 '
        '--workers 0 --repeats 1'
    ],
    random_walk=['--size 8x10 --repeats 1'],
    dilated_depthwise=['--batch 2 --size 64 --repeats 1'])


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--only',
        nargs='+',
        choices=list(RUNS),
        metavar='NAME',
        help=f'some of {", ".join(RUNS)}')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='tiny ones, to see that all of them run; their figures say '
        'nothing')
    parser.add_argument(
        '--out',
        help='Markdown file in which the table between its two comments is '
        'replaced, or a .json file to write')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    plan = QUICK if args.quick else RUNS
    rows = []
    for name in args.only or plan:
        module = importlib.import_module(name)
        variants = list(plan[name])
        if not args.quick and torch.cuda.is_available():
            variants += CUDA.get(name, [])
        for words in variants:
            if args.quick:
                words += ' --threads 1'
            print(f'\n{name} {words}', flush=True)
            rows += common.report(
                module.parse_args(words.split()), module.measure)
    threads = common.num_cores()
    if not args.out:
        print()
        print(common.table(rows))
    elif args.out.endswith('.json'):
        with atomic_write(args.out, 'w') as file:
            json.dump(
                dict(
                    hardware=common.hardware(threads),
                    rows=common.to_dicts(rows)),
                file,
                indent=1)
    else:
        common.replace_between(
            args.out, 'benchmarks',
            f'Measured on: {common.hardware_line(threads=threads)}.\n\n'
            f'{common.table(rows)}')


if __name__ == '__main__':
    main()
