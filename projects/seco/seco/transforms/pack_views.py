# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.structures import SegDataSample

from mmktse.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackViews(BaseTransform):
    """Packs several views of an image and its image-level label.

    Required keys: those of ``views``, images (H, W, 3); ``gt_label``, 0-based
    class indices; ``img_box``, [y0, y1, x0, x1) of the first view.

    Args:
        views (dict[str, str]): Key of the image by name of the view.
            Defaults to the three of SeCo: the crop "base", its "strong"
            colours and the "second" crop.
        meta_keys (Sequence[str]): Meta information to keep.
    """

    def __init__(
        self,
        views: Dict[str, str] = dict(
            base='img', strong='strong_img', second='second_img'),
        meta_keys: Sequence[str] = ('img_id', 'img_path', 'ori_shape',
                                    'img_shape', 'flip')
    ) -> None:
        self.views = views
        self.meta_keys = meta_keys

    def transform(self, results: dict) -> dict:
        """Packs.

        Returns:
            dict: ``inputs``, tensors (3, H, W) by name of the view, and
            ``data_samples``, a sample with ``gt_label`` (K,) and ``img_box``
            (4,), both long.
        """
        sample = SegDataSample(metainfo={
            key: results[key]
            for key in self.meta_keys if key in results
        })
        sample.set_data(
            dict(
                gt_label=torch.tensor(results['gt_label']),
                img_box=torch.tensor(results['img_box'])))
        return dict(
            inputs={
                name:
                torch.from_numpy(
                    np.ascontiguousarray(results[key].transpose(2, 0, 1)))
                for name, key in self.views.items()
            },
            data_samples=sample)
