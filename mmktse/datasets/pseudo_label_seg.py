# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp
from typing import List, Optional

from mmseg.datasets import BaseSegDataset

from mmktse.registry import DATASETS
from mmktse.seeds.manifest import LABELS, check_complete, confidence_path
from .image_files import ImageFiles
from .image_labels import read_ids
from .seg_list import seg_sample


@DATASETS.register_module()
class PseudoLabelSegDataset(BaseSegDataset):
    """Images with the label maps of a pseudo-label folder.

    The classes, background first, and their colours come from the manifest.

    Args:
        pseudo_label_dir (str): Folder made by tools/make_pseudo_labels.py.
            It is relative to the working directory, not to ``data_root``.
        ann_file (str): Text file whose lines start with the id of an image.
            Defaults to '': all images of the folder.
        metainfo (dict, optional): If it holds 'classes', they must be those
            of the manifest.
        data_prefix (dict): ``img_path``, the folder of the images.
        confidence (bool): Whether the masks of the surest pixels are used as
            well; samples then have ``confidence_path``. Defaults to False.
        img_suffix (str, optional): Suffix of all images. Defaults to None:
            any usual one, in upper or lower case.
        **kwargs: Arguments of :class:`mmseg.datasets.BaseSegDataset`.

    Raises:
        FileNotFoundError: If the folder is incomplete, or misses an image of
            ``ann_file``, or an image is gone.
        ValueError: If the folder was made for other classes, or without the
            masks that ``confidence`` asks for, or the list is wrong.
    """

    def __init__(self,
                 pseudo_label_dir: str,
                 ann_file: str = '',
                 metainfo: Optional[dict] = None,
                 data_prefix: dict = dict(img_path='JPEGImages'),
                 confidence: bool = False,
                 img_suffix: Optional[str] = None,
                 **kwargs) -> None:
        self.pseudo_label_dir = pseudo_label_dir
        self.manifest = check_complete(pseudo_label_dir)
        self.confidence = confidence
        labels = self.manifest['settings'].get('labels', {})
        if confidence and labels.get('confidence_share') is None:
            raise ValueError(
                f'{pseudo_label_dir} has no masks of the surest pixels: make '
                'it with --cfg-options pseudo_labels.confidence_share=0.5.')
        made_for = self.manifest['settings']['dataset']
        classes = ['background', *made_for['classes']]
        metainfo = dict(metainfo or {})
        if list(metainfo.setdefault('classes', classes)) != classes:
            raise ValueError(
                f'{pseudo_label_dir} was made for the classes {classes}, but '
                f'the config names {list(metainfo["classes"])}.')
        if made_for['palette'] is not None:
            metainfo.setdefault('palette', made_for['palette'])
        super().__init__(
            ann_file=ann_file,
            img_suffix=img_suffix,
            metainfo=metainfo,
            data_prefix=dict(
                data_prefix,
                seg_map_path=osp.abspath(osp.join(pseudo_label_dir, LABELS))),
            **kwargs)

    def load_data_list(self) -> List[dict]:
        """Lists image and label of each id."""
        ids = self.manifest['ids']
        if self.ann_file:
            ids = list(read_ids(self.ann_file))
            check_complete(self.pseudo_label_dir, ids)
        data_list = []
        images = ImageFiles(self.data_prefix['img_path'], self.img_suffix)
        for name in ids:
            data = seg_sample(self, name, images)
            if self.confidence:
                path = confidence_path(self.pseudo_label_dir, name)
                data['confidence_path'] = str(path)
            if not osp.isfile(data['img_path']):
                raise FileNotFoundError(
                    f'Image {data["img_path"]} has a pseudo label but is not '
                    'there: set data_root and data_prefix.img_path to the '
                    'images that the labels were made from.')
            data_list.append(data)
        return data_list
