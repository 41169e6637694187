# Copyright (c) mmktse authors. All rights reserved.
"""Readers of image-level labels; each knows where in its file an entry is."""
import codecs
import csv
import json
import os
import os.path as osp
import re
from typing import (Dict, Iterable, Iterator, List, NamedTuple, Optional,
                    Sequence, TextIO, Tuple)
from xml.etree import ElementTree

from mmktse.seeds.label_io import check_num_classes
from mmktse.utils import atomic_write, is_inside
from .image_files import ImageFiles, without_suffix


class Entry(NamedTuple):
    """Tags of an image (class names or indices as text) and their place."""
    tags: Sequence[str]
    place: str


Labelled = Tuple[str, Entry]
# Also takes the mark that some editors put at the start of a file.
ENCODING = 'utf-8-sig'
# What the first column of a table may be called.
_HEADERS = ('id', 'img_id', 'image_id', 'image', 'file', 'filename',
            'file_name', 'name')


def _open(path: str, **kwargs) -> TextIO:
    with open(path, 'rb') as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise ValueError(f'{path} is UTF-16 text: save it as UTF-8.')
    # A wrong byte is reported as unknown class or missing image, by its line.
    return open(path, encoding=ENCODING, errors='replace', **kwargs)


def first_problem(problems: Sequence[str]) -> str:
    """The first of all problems, and how to see the others."""
    more = len(problems) - 1
    return problems[0] + (f' (And {more} more problems: list them with '
                          'tools/misc/verify_dataset.py.)' if more else '')


def read_lines(path: str) -> Iterator[Tuple[str, str]]:
    """Yields the lines of a text file that are neither empty nor comments.

    Args:
        path (str): UTF-8 text file; '#' starts a comment.

    Yields:
        tuple[str, str]: The line without comment, and its 'file:number'.
    """
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            line = line.partition('#')[0].strip()
            if line:
                yield line, f'{path}:{number}'


def read_ids(path: str,
             problems: Optional[List[str]] = None) -> Dict[str, str]:
    """Reads a list of images.

    Args:
        path (str): Text file whose lines start with an id, which may carry
            the suffix of its image.
        problems (list[str], optional): Gets a sentence for each id that is
            repeated or leads elsewhere. Defaults to None: the first one is
            raised.

    Returns:
        dict[str, str]: Place of each id, in the order of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty, or an id is wrong and there is no
            ``problems``.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'There is no list {path}: set data_root and '
                                'the path of the list to where it is.')
    found: List[str] = []
    ids: Dict[str, str] = {}
    for line, place in read_lines(path):
        img_id = without_suffix(line.split()[0])
        if img_id in ids:
            found.append(f'{place}: id {img_id} is at {ids[img_id]} already; '
                         'remove it.')
        elif not is_inside(img_id):
            found.append(f'{place}: id {img_id} leads out of the data '
                         'folder; correct it.')
        else:
            ids[img_id] = place
    if problems is not None:
        problems += found
    elif found or not ids:
        raise ValueError((found or [f'{path} lists no image.'])[0])
    return ids


def read_classes(path: str) -> Tuple[str, ...]:
    """Reads class names, one per line, without background.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty, names a class twice or the background, or
            more classes than a label map can hold.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(
            f'There is no class file {path}: write one class name per line, '
            'without background, or give metainfo=dict(classes=(...)).')
    classes = tuple(line for line, _ in read_lines(path))
    if not classes or len(set(classes)) < len(classes):
        raise ValueError(
            f'{path} must name at least one class, and each only once.')
    if 'background' in classes:
        raise ValueError(f'{path} names the class background, which every '
                         'image has beside the classes: remove the line.')
    check_num_classes(classes, path)
    return classes


def _read_text(path: str, problems: List[str]) -> Iterator[Labelled]:
    for line, place in read_lines(path):
        img_id, *tags = line.split()
        yield img_id, Entry(tags, place)


def _read_csv(path: str, problems: List[str]) -> Iterator[Labelled]:
    with _open(path, newline='') as file:
        # Spreadsheets of many countries put semicolons between the columns.
        first = next(filter(str.strip, file), '')
        file.seek(0)
        columns = ';' if ';' in first.partition(',')[0] else ','
        reader = csv.reader(file, delimiter=columns)
        begun = False
        for row in reader:
            if not ''.join(row).strip():
                continue
            header, begun = not begun, True
            if header and row[0].strip().lower() in _HEADERS:
                continue
            tags = re.split('[;,]', ','.join(row[1:]))
            yield row[0].strip(), Entry(
                [tag.strip() for tag in tags if tag.strip()],
                f'{path}:{reader.line_num}')


def _as_tags(value) -> List[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [str(tag) for tag in values]


def _read_json(path: str, problems: List[str]) -> Iterator[Labelled]:
    try:
        with _open(path) as file:
            data = json.load(file)
    except json.JSONDecodeError as error:
        raise ValueError(f'{path} is not JSON: {error}.') from error
    if isinstance(data, dict) and 'annotations' in data:
        yield from _read_coco(data, path, problems)
    elif isinstance(data, dict):
        for img_id, tags in data.items():
            yield img_id, Entry(_as_tags(tags), f'{path}: "{img_id}"')
    else:
        for number, item in enumerate(data, 1):
            place = f'{path}: entry {number}'
            if isinstance(item, dict) and {'id', 'classes'} <= {*item}:
                yield str(item['id']), Entry(_as_tags(item['classes']), place)
            else:
                problems.append(f'{place} is not an object with the keys '
                                '"id" and "classes".')


def _read_coco(data: dict, path: str,
               problems: List[str]) -> Iterator[Labelled]:
    names = {item['id']: item['name'] for item in data['categories']}
    tags: Dict[int, set] = {item['id']: set() for item in data['images']}
    for item in data['annotations']:
        try:
            tags[item['image_id']].add(names[item['category_id']])
        except KeyError as error:
            problems.append(
                f'{path}: annotation {item.get("id")} refers to image or '
                f'category {error}, which is not in the file.')
    for image in data['images']:
        # Part of the images of COCO show no object at all.
        if tags[image['id']]:
            img_id = osp.splitext(image['file_name'])[0]
            yield img_id, Entry(
                sorted(tags[image['id']]), f'{path}: image {image["id"]}')


def _read_xml_folder(folder: str, ids: Optional[Iterable[str]],
                     problems: List[str]) -> Iterator[Labelled]:
    if ids is None:
        ids = ImageFiles(folder, '.xml').ids()
    for img_id in ids:
        path = osp.join(folder, f'{img_id}.xml')
        try:
            root = ElementTree.parse(path).getroot()
        except FileNotFoundError:
            continue  # the data set says which ids have no label
        except ElementTree.ParseError as error:
            problems.append(f'{path} is not XML: {error}.')
            continue
        # Only direct children: the parts of an object have names, too.
        tags = {item.findtext('name', '') for item in root.iterfind('object')}
        yield img_id, Entry(sorted(tags), path)


def read_class_folders(images: ImageFiles) -> Dict[str, Entry]:
    """Reads a folder per class, ``root/<class>/<name>.jpg`` or the like.

    Args:
        images (ImageFiles): Those of the folder that holds the folders.

    Returns:
        dict[str, Entry]: Tags by id '<class>/<name>'.
    """
    labels = {}
    for name in sorted(os.listdir(images.root)):
        folder = osp.join(images.root, name)
        if osp.isdir(folder):
            for img_id in images.ids(name):
                labels[img_id] = Entry([name], folder)
    return labels


def read_labels(
        path: str,
        ids: Optional[Iterable[str]] = None
) -> Tuple[Dict[str, Entry], List[str]]:
    """Reads image-level labels.

    Args:
        path (str): One of:

            - ``.txt``, lines of an id and its classes, by blanks;
            - ``.csv``, rows of an id and its classes, by ',' or ';', maybe
              below a header that starts with 'id', 'image', 'filename' or
              the like;
            - ``.json``, ``{id: [class, ...]}``, a list of
              ``{"id": id, "classes": [class, ...]}``, or COCO instances,
              whose ids are the file names without suffix;
            - a folder of PASCAL VOC XML files, ``<id>.xml``.

            A class is a name or an index from 0; an id may carry the suffix
            of its image.
        ids (Iterable[str], optional): XML files of other ids are not read.

    Returns:
        tuple[dict[str, Entry], list[str]]: Tags by id, in the order of the
        file, and one sentence for each entry that is wrong or repeated.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of none of these kinds.
    """
    readers = {'.txt': _read_text, '.csv': _read_csv, '.json': _read_json}
    suffix = osp.splitext(path)[1].lower()
    problems: List[str] = []
    if osp.isdir(path):
        entries = _read_xml_folder(path, ids, problems)
    elif not osp.isfile(path):
        raise FileNotFoundError(f'There is no label file {path}: set '
                                'data_root and ann_file to where it is.')
    elif suffix in readers:
        entries = readers[suffix](path, problems)
    else:
        raise ValueError(f'{path} must end with {", ".join(readers)} or be a '
                         'folder of VOC XML files.')
    labels: Dict[str, Entry] = {}
    for img_id, entry in entries:
        img_id = without_suffix(img_id)
        if not is_inside(img_id):
            problems.append(f'{entry.place}: id {img_id} leads out of the '
                            'data folder; correct it.')
        elif img_id in labels:
            problems.append(
                f'{entry.place}: id {img_id} is at {labels[img_id].place} '
                'already; remove one of them.')
        else:
            labels[img_id] = entry
    return labels, problems


def class_indices(classes: Sequence[str]) -> Dict[str, int]:
    """Index of each tag: the name of a class, or its index as text.

    A name wins over an index, as classes may be called '0' or '1'.
    """
    indices = {str(index): index for index in range(len(classes))}
    indices.update({name: index for index, name in enumerate(classes)})
    return indices


def write_labels(path: str, labels: Dict[str, Sequence[int]],
                 classes: Sequence[str]) -> None:
    """Writes labels that :func:`read_labels` reads.

    Args:
        path (str): File that ends with '.txt' or '.json'.
        labels (dict[str, Sequence[int]]): 0-based class indices by id.
        classes (Sequence[str]): Class names. A text file gets indices
            instead if a name has blanks.

    Raises:
        ValueError: If it is another kind of file, or a text file would need
            indices of which one is the name of another class.
    """
    if not path.endswith(('.txt', '.json')):
        raise ValueError(f'{path} must end with .txt or .json.')
    names = {i: [classes[c] for c in label] for i, label in labels.items()}
    by_name = all(
        len(name.split()) == 1 and '#' not in name for name in classes)
    read = class_indices(classes)
    if path.endswith('.txt') and not by_name and any(
            read[str(c)] != c for c in range(len(classes))):
        raise ValueError(
            f'{path} cannot hold these classes, as one has a blank or # in '
            'its name and another is called like an index: write .json.')
    with atomic_write(path, 'w') as file:
        if path.endswith('.json'):
            json.dump(names, file, indent=0, ensure_ascii=False)
            return
        if not by_name:
            names = {i: map(str, label) for i, label in labels.items()}
        file.writelines(f'{i} {" ".join(tags)}\n' for i, tags in names.items())
