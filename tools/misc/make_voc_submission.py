# Copyright (c) mmktse authors. All rights reserved.
"""Packs predictions as the evaluation server of PASCAL VOC expects them."""
import argparse
import gzip
import io
import tarfile
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from PIL import Image

from mmktse.datasets.image_labels import read_ids
from mmktse.engine.errors import one_sentence_errors
from mmktse.seeds.label_io import VOID, color_map, load_label_map
from mmktse.seeds.manifest import LABELS
from mmktse.utils import atomic_write

NUM_CLASSES = 20


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'predictions',
        metavar='PRED_DIR',
        help='folder of tools/predict.py, or of PNGs with the values 0 to 20')
    parser.add_argument(
        '--ids',
        required=True,
        metavar='LIST',
        help='list of the test set, ImageSets/Segmentation/test.txt')
    parser.add_argument(
        '--out', required=True, metavar='FILE', help='archive (.tgz) to write')
    parser.add_argument(
        '--challenge',
        choices=['comp5', 'comp6'],
        default='comp6',
        help='comp5: trained on data of VOC only; comp6: on other data as '
        'well, such as ImageNet (default)')
    parser.add_argument(
        '--images',
        metavar='DIR',
        help='JPEGImages of the test set, to compare the sizes with')
    return parser.parse_args()


def load_all(
        folder: Path, ids: Sequence[str],
        images: Optional[Path]) -> Tuple[Dict[str, np.ndarray], List[str]]:
    """Reads the label maps, and collects all that is wrong with them.

    Args:
        folder (Path): Holds ``<id>.png``.
        ids (Sequence[str]): The images of the test set.
        images (Path, optional): Holds ``<id>.jpg``.

    Returns:
        tuple[dict[str, np.ndarray], list[str]]: Label maps (H, W) uint8 by
        id, and a sentence per problem.
    """
    labels, problems = {}, []
    for img_id in ids:
        path = folder / f'{img_id}.png'
        try:
            size = None
            if images is not None:
                with Image.open(images / f'{img_id}.jpg') as image:
                    size = image.size[::-1]
            label = load_label_map(path, size, NUM_CLASSES)
            if (label == VOID).any():
                raise ValueError(f'Mask {path} holds void ({VOID}), but the '
                                 'server wants a class for every pixel.')
            labels[img_id] = label
        except (ValueError, OSError) as error:
            problems.append(str(error))
    return labels, problems


def pack(path: str, labels: Dict[str, np.ndarray], challenge: str) -> None:
    """Writes the archive; the same masks give the same bytes.

    Args:
        path (str): File to write.
        labels (dict[str, np.ndarray]): Label maps (H, W) uint8 by id.
        challenge (str): 'comp5' or 'comp6'.
    """
    root = f'results/VOC2012/Segmentation/{challenge}_test_cls'
    palette = color_map().tobytes()
    with atomic_write(path) as file, \
            gzip.GzipFile('', 'wb', fileobj=file, mtime=0) as zipped, \
            tarfile.open(fileobj=zipped, mode='w') as archive:
        for img_id, label in sorted(labels.items()):
            image = Image.fromarray(label)
            image.putpalette(palette)
            content = io.BytesIO()
            image.save(content, format='PNG')
            entry = tarfile.TarInfo(f'{root}/{img_id}.png')
            entry.size = content.tell()
            content.seek(0)
            archive.addfile(entry, content)


@one_sentence_errors
def main() -> None:
    args = parse_args()
    ids = sorted(read_ids(args.ids))
    folder = Path(args.predictions)
    if (folder / LABELS).is_dir():
        folder = folder / LABELS
    labels, problems = load_all(folder, ids, args.images and Path(args.images))
    print(*problems, sep='\n', end='\n' if problems else '')
    if problems:
        raise ValueError(f'{len(problems)} of {len(ids)} masks are missing or '
                         f'not fit; {args.out} was not written.')
    pack(args.out, labels, args.challenge)
    extra = sum(path.stem not in labels for path in folder.rglob('*.png'))
    print(f'{args.out} holds {len(labels)} masks; {extra} others in {folder} '
          f'are not in {args.ids} and were left out.')


if __name__ == '__main__':
    main()
