# Copyright (c) mmktse authors. All rights reserved.
import argparse
import json
import os.path as osp
from collections import defaultdict
from functools import partial

import numpy as np
from mmengine.utils import track_parallel_progress, track_progress

from mmktse.datasets.image_labels import write_labels
from mmktse.engine.errors import one_sentence_errors
from mmktse.seeds.label_io import VOID, save_label_map
from mmktse.utils import atomic_write, is_inside


def parse_args():
    parser = argparse.ArgumentParser(
        description='Write image-level labels, and label maps, of a COCO '
        'instances file. Class indices follow the order of the category ids, '
        'without gaps')
    parser.add_argument('instances', help='instances_*.json')
    parser.add_argument('out', help='labels to write, .txt or .json')
    parser.add_argument('--classes-out', help='class names to write, .txt')
    parser.add_argument(
        '--ids-out',
        help='ids of the images that show an object to write, .txt; the list '
        'a segmentation network is validated on')
    parser.add_argument(
        '--mask-dir',
        help='folder for label maps (0 background, c + 1 class c); those '
        'already there are kept. Needs pycocotools')
    parser.add_argument(
        '--crowd',
        choices=('class', 'void'),
        default='class',
        help='value of the regions of crowds in label maps: their class '
        '(default), or 255')
    parser.add_argument('--num-workers', type=int, default=2)
    return parser.parse_args()


def make_mask(task, mask_dir, crowd):
    """Paints the objects of an image, the smaller over the larger."""
    from pycocotools import mask as coco_mask
    image, objects = task
    path = osp.join(mask_dir, osp.splitext(image['file_name'])[0] + '.png')
    if osp.isfile(path):
        return
    shape = image['height'], image['width']
    label = np.zeros(shape, np.uint8)
    # Crowds first: they surround single objects.
    for value, is_crowd, _, segmentation in sorted(
            objects, key=lambda item: (-item[1], -item[2])):
        if isinstance(segmentation, list):
            rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, *shape))
        elif isinstance(segmentation['counts'], list):
            rle = coco_mask.frPyObjects(segmentation, *shape)
        else:
            rle = segmentation
        painted = VOID if is_crowd and crowd == 'void' else value
        label[coco_mask.decode(rle) > 0] = painted
    save_label_map(path, label)


@one_sentence_errors
def main():
    args = parse_args()
    if args.mask_dir:
        try:
            import pycocotools  # noqa: F401
        except ImportError as error:
            raise SystemExit('Label maps need pycocotools: run "pip install '
                             'pycocotools".') from error
    with open(args.instances, encoding='utf-8') as file:
        data = json.load(file)
    categories = sorted(data['categories'], key=lambda item: item['id'])
    classes = [item['name'] for item in categories]
    indices = {item['id']: i for i, item in enumerate(categories)}

    objects = defaultdict(list)
    for item in data['annotations']:
        objects[item['image_id']].append(
            (indices[item['category_id']] + 1, item.get('iscrowd', 0),
             item['area'], item['segmentation']))
    images = sorted(data['images'], key=lambda image: image['file_name'])
    for image in images:
        if not is_inside(image['file_name']):
            raise ValueError(f'{args.instances}: the file name '
                             f'{image["file_name"]} leads out of the folder '
                             'of images.')
    labels = {
        osp.splitext(image['file_name'])[0]:
        sorted({item[0] - 1
                for item in objects[image['id']]})
        for image in images if objects[image['id']]
    }
    write_labels(args.out, labels, classes)
    print(f'Labels of {len(labels)} images in {args.out}; '
          f'{len(images) - len(labels)} images show no object')
    if args.classes_out:
        with atomic_write(args.classes_out, 'w') as file:
            file.writelines(f'{name}\n' for name in classes)
    if args.ids_out:
        with atomic_write(args.ids_out, 'w') as file:
            file.writelines(f'{name}\n' for name in labels)
    if args.mask_dir:
        make = partial(make_mask, mask_dir=args.mask_dir, crowd=args.crowd)
        # Images without object get an empty map, as validation needs it.
        tasks = [(image, objects[image['id']]) for image in images]
        if args.num_workers > 1:
            track_parallel_progress(make, tasks, args.num_workers)
        else:
            track_progress(make, tasks)
        print(f'\nLabel maps in {args.mask_dir}')


if __name__ == '__main__':
    main()
