# Copyright (c) mmktse authors. All rights reserved.
import argparse
import pickle

import numpy as np
from numpy.lib import format as npy_format

from mmktse.datasets.image_labels import read_classes, write_labels
from mmktse.datasets.voc import VOC_CLASSES
from mmktse.engine.errors import one_sentence_errors


class ArrayUnpickler(pickle.Unpickler):
    """Unpickler that knows dicts, strings, numbers and NumPy arrays alone.

    A pickle can name any function to be called. This one refuses all names
    but the four that an array consists of, so that a file from elsewhere
    cannot run anything.
    """

    ALLOWED = {
        ('_reconstruct', module): np.zeros(0).__reduce__()[0]
        for module in ('numpy.core.multiarray', 'numpy._core.multiarray')
    }
    ALLOWED[('ndarray', 'numpy')] = np.ndarray
    ALLOWED[('dtype', 'numpy')] = np.dtype
    # Bytes in pickles of protocol 2; the real function would look up codecs.
    ALLOWED[('encode',
             '_codecs')] = (lambda text, encoding: text.encode('latin1'))

    def find_class(self, module, name):
        """Resolves an allowed name.

        Raises:
            pickle.UnpicklingError: For every other name.
        """
        try:
            return self.ALLOWED[name, module]
        except KeyError:
            raise pickle.UnpicklingError(
                f'it refers to {module}.{name}, which label arrays do not '
                'need') from None


def load_dict(path):
    """Reads the dict in a .npy file without running anything from it.

    Args:
        path (str): File that ``np.save(path, dict)`` wrote.

    Returns:
        dict: The content.

    Raises:
        ValueError: If it is anything else.
    """
    with open(path, 'rb') as file:
        try:
            version = npy_format.read_magic(file)
            read_header = (
                npy_format.read_array_header_1_0
                if version == (1, 0) else npy_format.read_array_header_2_0)
            _, _, dtype = read_header(file)
            if dtype != object:
                raise ValueError(f'it is an array of {dtype}')
            # Strings of Python 2 are bytes, in arrays also beyond ASCII.
            array = ArrayUnpickler(file, encoding='latin1').load()
            value = array.item()
            if not isinstance(value, dict):
                raise ValueError(f'it holds a {type(value).__name__}')
        except Exception as error:
            raise ValueError(f'{path} is not a dict of label arrays in .npy '
                             f'format: {error}.') from error
    return value


def to_labels(vectors, num_classes, id_format='{}'):
    """Turns multi-hot vectors into indices.

    Args:
        vectors (dict): Vector (num_classes,) of 0 and 1 by id.
        num_classes (int): Number of classes.
        id_format (str): Format of the ids. Defaults to '{}', which also
            turns a number into an id of VOC.

    Returns:
        dict[str, list[int]]: 0-based classes by id.

    Raises:
        ValueError: If a vector has another length or other values.
    """
    labels = {}
    for key, vector in vectors.items():
        vector = np.asarray(vector)
        if vector.shape != (num_classes, ) or not np.isin(vector,
                                                          (0, 1)).all():
            raise ValueError(
                f'The label of {key} must be {num_classes} values of 0 or 1, '
                f'but is {vector}; give other class names with --classes.')
        if isinstance(key, int) and id_format == '{}':
            # 2007000032 is the image 2007_000032 of VOC.
            key = f'{key // 10**6}_{key % 10**6:06d}'
        labels[id_format.format(key)] = np.flatnonzero(vector).tolist()
    return labels


def parse_args():
    parser = argparse.ArgumentParser(
        description='Write the image-level labels of a cls_labels.npy (a dict '
        'of multi-hot vectors) as text or JSON')
    parser.add_argument('npy', help='cls_labels.npy')
    parser.add_argument('out', help='labels to write, .txt or .json')
    parser.add_argument(
        '--classes', help='file of class names; default: the 20 of VOC')
    parser.add_argument(
        '--id-format',
        default='{}',
        help="turns a key into an id, as 'COCO_train2014_{:012d}' does for "
        'numbers')
    return parser.parse_args()


@one_sentence_errors
def main():
    args = parse_args()
    classes = read_classes(args.classes) if args.classes else VOC_CLASSES
    labels = to_labels(load_dict(args.npy), len(classes), args.id_format)
    empty = [img_id for img_id, label in labels.items() if not label]
    for img_id in empty:
        del labels[img_id]
    write_labels(args.out, labels, classes)
    print(f'Labels of {len(labels)} images in {args.out}; {len(empty)} images '
          'have none and are left out')


if __name__ == '__main__':
    main()
