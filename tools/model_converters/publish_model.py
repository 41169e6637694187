# Copyright (c) mmktse authors. All rights reserved.
"""Writes a checkpoint without what only a training needs.

The name of the file ends with the first digits of its SHA-256.
"""
import argparse
import os.path as osp

from mmktse.engine.checkpoint import read_checkpoint
from mmktse.engine.config import check_checkpoint
from mmktse.engine.errors import one_sentence_errors
from mmktse.engine.publish import publish


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', help='checkpoint of a training (.pth)')
    parser.add_argument(
        'out',
        help='file to write (.pth); PREFIX.pth becomes PREFIX-01234567.pth')
    return parser.parse_args()


@one_sentence_errors
def main() -> None:
    args = parse_args()
    check_checkpoint(args.src)
    out = publish(read_checkpoint(args.src), args.out.removesuffix('.pth'))
    before, after = (osp.getsize(path) / 1e6 for path in (args.src, out))
    print(f'Wrote {out}: {after:.1f} MB of {before:.1f} MB')


if __name__ == '__main__':
    main()
