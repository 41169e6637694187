# Copyright (c) mmktse authors. All rights reserved.
import argparse

from mmktse.engine.errors import one_sentence_errors
from mmktse.visualization import save_label_gallery, select_samples
from mmktse.visualization.arguments import (add_dataset_arguments,
                                            add_selection_arguments,
                                            run_source)
from mmktse.visualization.config_dataset import build_dataset


def parse_args():
    parser = argparse.ArgumentParser(
        description='Put the label maps or CAMs of several runs side by side; '
        'the number after the name of a run is the IoU of that image')
    parser.add_argument('config', help='config of a CAM stage: the images')
    parser.add_argument(
        '--runs',
        nargs='+',
        required=True,
        type=run_source,
        metavar='TITLE=FOLDER',
        help='folders of ID.png, or pseudo-label folders; FOLDER@cam draws '
        'the CAMs of the folder, FOLDER@0.3 label maps made of them at 0.3')
    parser.add_argument('--out', required=True, help='PNG to write')
    parser.add_argument('--title', default='', help='heading of the page')
    parser.add_argument(
        '--hide-images',
        action='store_true',
        help='leave out images and truth, for images that may not be passed '
        'on')
    add_selection_arguments(parser)
    add_dataset_arguments(parser)
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    dataset = build_dataset(args.config, args.cfg_options, args.loader)
    samples = select_samples(dataset, args.num, args.ids, args.seed,
                             args.order, args.runs)
    save_label_gallery(args.out, samples, args.runs,
                       dataset.metainfo.get('palette'), args.title,
                       args.hide_images)
    print(f'Wrote {args.out}')


if __name__ == '__main__':
    main()
