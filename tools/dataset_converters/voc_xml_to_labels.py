# Copyright (c) mmktse authors. All rights reserved.
import argparse

from mmktse.datasets.image_labels import (class_indices, read_classes,
                                          read_ids, read_labels, write_labels)
from mmktse.datasets.voc import VOC_CLASSES
from mmktse.engine.errors import one_sentence_errors


def parse_args():
    parser = argparse.ArgumentParser(
        description='Write the image-level labels of PASCAL VOC XML files, '
        'difficult objects included, to one file, which is read faster')
    parser.add_argument('annotations', help='folder of <id>.xml')
    parser.add_argument('out', help='labels to write, .txt or .json')
    parser.add_argument(
        '--classes', help='file of class names; default: the 20 of VOC')
    parser.add_argument(
        '--id-file', help='file whose lines start with an id; default: all')
    parser.add_argument(
        '--skip-unknown',
        action='store_true',
        help='leave out objects of other classes, and images without any of '
        'the classes, instead of stopping')
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    classes = read_classes(args.classes) if args.classes else VOC_CLASSES
    indices = class_indices(classes)
    ids = None
    if args.id_file:
        ids = list(read_ids(args.id_file))
    entries, problems = read_labels(args.annotations, ids)
    problems += [
        f'{args.id_file}: id {img_id} has no XML file in {args.annotations}.'
        for img_id in ids or () if img_id not in entries
    ]
    labels = {}
    for img_id, entry in entries.items():
        known = sorted(indices[tag] for tag in entry.tags if tag in indices)
        if known:
            labels[img_id] = known
        if not args.skip_unknown:
            problems += [
                f'{entry.place}: unknown class {tag!r}; name it in a file '
                'given as --classes, or use --skip-unknown.'
                for tag in entry.tags if tag not in indices
            ]
            if not entry.tags:
                problems.append(f'{entry.place} has no object; use '
                                '--skip-unknown to leave it out.')
    if problems:
        raise SystemExit('\n'.join(problems))
    write_labels(args.out, labels, classes)
    print(f'Labels of {len(labels)} images in {args.out}')


if __name__ == '__main__':
    main()
