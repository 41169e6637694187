# Copyright (c) mmktse authors. All rights reserved.
"""Command line options that the analysis tools share."""
import argparse

from mmengine.config import DictAction

from .run_source import ORDERS, RunSource


def run_source(text: str) -> RunSource:
    """Argument type of a run; its errors become argparse's."""
    try:
        return RunSource.parse(text)
    except (ValueError, FileNotFoundError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def title_and_path(text: str) -> tuple:
    """Argument type of ``TITLE=PATH``."""
    title, found, path = text.partition('=')
    if not (found and title and path):
        raise argparse.ArgumentTypeError(f'"{text}" must read TITLE=PATH')
    return title, path


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of what :func:`build_dataset` takes."""
    parser.add_argument(
        '--loader',
        default='test_dataloader',
        help='data loader of the config whose images are meant '
        '(default: test_dataloader)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='overrides of the config, e.g. data_root=DIR')


def add_selection_arguments(parser: argparse.ArgumentParser,
                            by_iou: bool = True) -> None:
    """Options of what :func:`select_samples` takes."""
    parser.add_argument(
        '--num', type=int, default=8, help='images to show (default: 8)')
    parser.add_argument(
        '--ids', nargs='+', help='the very images to show, in this order')
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the random choice')
    if by_iou:
        parser.add_argument(
            '--order',
            choices=ORDERS,
            default='random',
            help='random images; the worst or best by their IoU in the first '
            'run; those where the last run gains or loses most against the '
            'first (default: random)')
