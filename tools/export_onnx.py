# Copyright (c) mmktse authors. All rights reserved.
"""Writes a segmentation network or a CAM network as an ONNX file.

The file takes RGB images of 0 to 255; docs/export.md says how to run it.
"""
import argparse
from pathlib import Path

from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmktse.engine.checkpoint import read_checkpoint
from mmktse.engine.config import (check_checkpoint, fill_num_classes,
                                  load_config)
from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.export import (ExportedNetwork, export_onnx,
                                  exported_network, onnx_difference)
from mmktse.engine.hooks.fitting_checkpoint_hook import fitting_state
from mmktse.engine.test_time import class_meta
from mmktse.registry import MODELS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of the network')
    parser.add_argument('checkpoint', help='its weights')
    parser.add_argument('--out', required=True, help='file to write (.onnx)')
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        default=(512, 512),
        metavar=('H', 'W'),
        help='height and width of the images (default: 512 512)')
    parser.add_argument(
        '--dynamic',
        action='store_true',
        help='allow images of any size; for segmentation networks')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config, for example data_root=DIR')
    args = parser.parse_args()
    if min(args.size) < 1:
        parser.error('--size takes two numbers of pixels')
    return args


def compare(network: ExportedNetwork, path: Path,
            args: argparse.Namespace) -> None:
    """Prints how far the file is from PyTorch, and refuses it if too far."""
    sizes = [tuple(args.size)]
    if args.dynamic:
        # Of another shape: some networks are written for the first alone.
        sizes.append((args.size[1] + 32, args.size[0] + 96))
    try:
        for size in sizes:
            difference = onnx_difference(network, path, size)
            print(f'Largest difference from PyTorch at {size[0]}x{size[1]}: '
                  f'{difference:.2g}')
    except ImportError:
        print('Not compared with PyTorch, as onnxruntime is missing: "pip '
              'install onnxruntime" (the extra export).')
    except ValueError as error:
        if args.dynamic:
            raise ValueError(f'{error} The network needs images of one size: '
                             'leave --dynamic away.') from error
        raise


@one_sentence_errors
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    check_checkpoint(args.checkpoint)
    checkpoint = read_checkpoint(args.checkpoint)
    init_default_scope(cfg.get('default_scope', 'mmktse'))
    classes = class_meta(cfg, checkpoint)['classes']
    fill_num_classes(cfg.model, len(classes))
    model = MODELS.build(cfg.model)
    model.load_state_dict(fitting_state(model, checkpoint), strict=False)
    network = exported_network(model)
    out = Path(args.out)
    draft = out.with_name(f'.{out.name}.tmp')
    try:
        export_onnx(network, draft, args.size, classes, args.dynamic)
        compare(network, draft, args)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    print(f'Wrote {out}')


if __name__ == '__main__':
    main()
