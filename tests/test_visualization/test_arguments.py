# Copyright (c) mmktse authors. All rights reserved.
import argparse

import pytest

from mmktse.visualization.arguments import (add_dataset_arguments,
                                            add_selection_arguments,
                                            run_source, title_and_path)


def test_defaults_and_overrides():
    parser = argparse.ArgumentParser()
    add_selection_arguments(parser)
    add_dataset_arguments(parser)
    args = parser.parse_args([])
    assert (args.num, args.order, args.loader) == (8, 'random',
                                                   'test_dataloader')
    args = parser.parse_args([
        '--ids', 'b', 'a', '--order', 'worst', '--cfg-options', 'data_root=x'
    ])
    assert args.ids == ['b', 'a'] and args.cfg_options == dict(data_root='x')


def test_argument_types(tmp_path):
    assert title_and_path('a=b=c') == ('a', 'b=c')
    assert run_source(f'a={tmp_path}').title == 'a'
    for bad in ('a', '=a', 'a='):
        with pytest.raises(argparse.ArgumentTypeError, match='must read'):
            title_and_path(bad)
    with pytest.raises(argparse.ArgumentTypeError, match='does not exist'):
        run_source(f'a={tmp_path}/none')
