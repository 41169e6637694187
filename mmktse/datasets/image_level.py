# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp
from typing import Dict, List, Optional, Tuple

from mmengine.dataset import BaseDataset, force_full_init

from mmktse.registry import DATASETS
from .image_files import ImageFiles
from .image_labels import (Entry, class_indices, first_problem,
                           read_class_folders, read_classes, read_ids,
                           read_labels)


@DATASETS.register_module()
class ImageLevelDataset(BaseDataset):
    """Images that are tagged with the classes they show.

    Label maps, where there are any, serve for measuring alone: value 0 is
    background, c + 1 is class c and 255 is void.

    Args:
        data_root (str): Folder that the other paths are relative to.
            Defaults to ''.
        ann_file (str): Labels, in a form that
            :func:`~mmktse.datasets.image_labels.read_labels` knows. Defaults
            to '': the image folder holds one folder per class.
        metainfo (dict, optional): ``classes``, without background, as
            sequence of names or as file with one name per line. Defaults to
            the names of the class folders, if these are the labels.
        data_prefix (dict): Folders ``img_path`` and ``seg_map_path``; the
            latter may be None or missing, as may its files.
        id_file (str, optional): Text file whose lines start with an id.
            Selects and orders the images of a larger label file. A path
            within ``data_root``, or one of its own.
        img_suffix (str, optional): Suffix of all images. Defaults to None:
            any usual one, in upper or lower case.
        seg_map_suffix (str): Defaults to '.png'.
        require_labels (bool): If False, ids without label are allowed and
            have no ``gt_label``; then ``ann_file=''`` lists all images of a
            flat folder. Defaults to True.
        **kwargs: Other arguments of :class:`mmengine.dataset.BaseDataset`.

    Raises:
        FileNotFoundError: If a list, label file or image folder is missing.
        ValueError: If the content is wrong: the first problem, with its
            place. ``tools/misc/verify_dataset.py`` lists all of them.

    Example:
        >>> dataset = ImageLevelDataset(
        ...     'data/animals', 'train_labels.txt',
        ...     metainfo=dict(classes='classes.txt'))
        >>> dataset.get_data_info(0)
        {'img_id': '0001', 'img_path': 'data/animals/JPEGImages/0001.jpg',
         'seg_map_path': 'data/animals/SegmentationClass/0001.png',
         'gt_label': [0, 4], 'sample_idx': 0}
    """

    def __init__(self,
                 data_root: str = '',
                 ann_file: str = '',
                 metainfo: Optional[dict] = None,
                 data_prefix: dict = dict(
                     img_path='JPEGImages', seg_map_path='SegmentationClass'),
                 id_file: Optional[str] = None,
                 img_suffix: Optional[str] = None,
                 seg_map_suffix: str = '.png',
                 require_labels: bool = True,
                 **kwargs) -> None:
        inside = id_file and osp.join(data_root, id_file)
        if id_file and osp.isfile(id_file) and not osp.isfile(inside):
            inside = id_file
        self.id_file = inside
        self.img_suffix = img_suffix
        self.seg_map_suffix = seg_map_suffix
        self.require_labels = require_labels
        metainfo = dict(metainfo or {})
        if isinstance(metainfo.get('classes'), str):
            metainfo['classes'] = read_classes(
                osp.join(data_root, metainfo['classes']))
        super().__init__(
            data_root=data_root,
            ann_file=ann_file,
            metainfo=metainfo,
            data_prefix={
                k: v
                for k, v in data_prefix.items() if v is not None
            },
            **kwargs)

    @property
    def source(self) -> str:
        """Where the list of images comes from."""
        return self.id_file or self.ann_file or self.data_prefix['img_path']

    def load_data_list(self) -> List[dict]:
        """Reads the samples, or raises the first problem."""
        data_list, problems = self.scan()
        if problems:
            raise ValueError(first_problem(problems))
        return data_list

    def scan(self) -> Tuple[List[dict], List[str]]:
        """Reads the samples and all that is wrong with them.

        Images are not opened.

        Returns:
            tuple[list[dict], list[str]]: The samples, and one sentence per
            problem.

        Raises:
            FileNotFoundError: If a list, label file or image folder is
                missing.
            ValueError: If the label file cannot be parsed.
        """
        image_folder = self.data_prefix['img_path']
        if not osp.isdir(image_folder):
            raise FileNotFoundError(
                f'There is no image folder {image_folder}: set data_root, for '
                'example with --cfg-options data_root=DIR, or data_prefix.')
        images = ImageFiles(image_folder, self.img_suffix)
        ids, labels, problems = self._read(images)
        if not ids:
            problems.append(f'{self.source} lists no image; check the path '
                            'and img_suffix.')
        classes = self._metainfo.get('classes', ())
        indices = class_indices(classes)
        data_list = []
        for img_id, place in ids.items():
            data = dict(img_id=img_id)
            try:
                path = images.find(img_id)
            except ValueError as error:
                path = ''
                problems.append(f'{place}: {error}')
            if path is None:
                path = images.looked_for(img_id)
                problems.append(
                    f'{place}: image {path} does not exist; add it, remove '
                    f'the id {img_id}, or correct data_root, data_prefix or '
                    'img_suffix.')
            data['img_path'] = path
            if 'seg_map_path' in self.data_prefix:
                data['seg_map_path'] = osp.join(
                    self.data_prefix['seg_map_path'],
                    img_id + self.seg_map_suffix)
            entry = labels.get(img_id)
            if entry is not None and entry.tags:
                unknown = [tag for tag in entry.tags if tag not in indices]
                problems += [
                    f'{entry.place}: unknown class {tag!r} of id {img_id}; '
                    f'correct it or add it to the classes {list(classes)}.'
                    for tag in unknown
                ]
                data['gt_label'] = sorted(
                    {indices[tag]
                     for tag in entry.tags if tag in indices})
            elif self.require_labels:
                problems.append(
                    f'{entry.place if entry else place}: id {img_id} has no '
                    f'label in {self.ann_file or image_folder}; name at least '
                    'one class or remove the id.')
            data_list.append(data)
        return data_list, problems

    def _read(
        self, images: ImageFiles
    ) -> Tuple[Dict[str, str], Dict[str, Entry], List[str]]:
        """Reads place by id, in order, label by id, and problems."""
        ids: Optional[Dict[str, str]] = None
        problems: List[str] = []
        if self.id_file is not None:
            ids = read_ids(self.id_file, problems)
        labels: Dict[str, Entry] = {}
        if self.ann_file:
            labels, wrong = read_labels(self.ann_file, ids)
            problems += wrong
        elif self.require_labels:
            labels = read_class_folders(images)
            if any(entry.tags[0] == 'background' for entry in labels.values()):
                problems.append(
                    f'{osp.join(images.root, "background")}: images without '
                    'any class cannot be used; move the folder elsewhere.')
            self._metainfo.setdefault(
                'classes',
                tuple(
                    dict.fromkeys(label.tags[0] for label in labels.values())))
        elif ids is None:
            ids = dict.fromkeys(images.ids(), images.root)
        if self.require_labels and 'classes' not in self._metainfo:
            raise ValueError(
                f'The classes of {self.ann_file} are not known: give '
                "metainfo=dict(classes='classes.txt') or the names.")
        if ids is None:
            ids = {img_id: label.place for img_id, label in labels.items()}
        return ids, labels, problems

    @force_full_init
    def get_cat_ids(self, idx: int) -> List[int]:
        """0-based classes of a sample."""
        return self.get_data_info(idx).get('gt_label', [])
