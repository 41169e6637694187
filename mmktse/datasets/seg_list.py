# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp
from typing import List, Optional, Tuple

from mmseg.datasets import BaseSegDataset

from mmktse.registry import DATASETS
from .image_files import ImageFiles
from .image_labels import first_problem, read_ids


def seg_sample(dataset: BaseSegDataset, img_id: str,
               images: ImageFiles) -> dict:
    """What mmseg's transforms want to know of an image and its mask.

    Raises:
        ValueError: If the id fits several images.
    """
    return dict(
        img_path=images.find(img_id) or images.looked_for(img_id),
        seg_map_path=osp.join(dataset.data_prefix['seg_map_path'],
                              img_id + dataset.seg_map_suffix),
        num_classes=len(dataset.metainfo['classes']),
        label_map=dataset.label_map,
        reduce_zero_label=dataset.reduce_zero_label,
        seg_fields=[])


@DATASETS.register_module()
class SegListDataset(BaseSegDataset):
    """Images of a list with their masks.

    mmseg's ``BaseSegDataset`` takes a line as it is; here only the id at its
    start counts, empty lines and comments are passed over, and a wrong list
    is refused before the first image is read.

    Args:
        img_suffix (str, optional): Suffix of all images. Defaults to None:
            any usual one, in upper or lower case.
        **kwargs: Arguments of :class:`mmseg.datasets.BaseSegDataset`;
            ``ann_file`` is a text file whose lines start with an id.

    Raises:
        FileNotFoundError: If the list is missing.
        ValueError: If it is empty, an image or a mask is missing, or an id is
            repeated, leads out of the folder or fits several images: the
            first problem, with its place.
    """

    def __init__(self,
                 *args,
                 img_suffix: Optional[str] = None,
                 **kwargs) -> None:
        super().__init__(*args, img_suffix=img_suffix, **kwargs)

    @property
    def source(self) -> str:
        """Where the list of images comes from."""
        return self.ann_file

    def load_data_list(self) -> List[dict]:
        """Lists image and mask of each id, or raises the first problem."""
        data_list, problems = self.scan()
        if problems:
            raise ValueError(first_problem(problems))
        return data_list

    def scan(self) -> Tuple[List[dict], List[str]]:
        """Lists image and mask of each id, and all that is wrong.

        Neither are opened.

        Returns:
            tuple[list[dict], list[str]]: The samples, and one sentence per
            problem.

        Raises:
            FileNotFoundError: If there is no such list.
        """
        data_list = []
        problems: List[str] = []
        images = ImageFiles(self.data_prefix['img_path'], self.img_suffix)
        ids = read_ids(self.ann_file, problems)
        if not ids and not problems:
            problems.append(f'{self.ann_file} lists no image.')
        for img_id, place in ids.items():
            try:
                data = seg_sample(self, img_id, images)
            except ValueError as error:
                problems.append(f'{place}: {error}')
                continue
            for what, path in (('image', data['img_path']),
                               ('mask', data['seg_map_path'])):
                if not osp.isfile(path):
                    problems.append(
                        f'{place}: {what} {path} does not exist; add it, '
                        f'remove the id {img_id}, or correct data_root, '
                        'data_prefix or the suffix.')
            data_list.append(data)
        return data_list, problems
