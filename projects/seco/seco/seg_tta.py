# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, List, Tuple

import torch
from mmengine.structures import PixelData
from mmseg.utils import SampleList
from torch import Tensor

from mmktse.models.segmentors import MaxSegTTAModel
from mmktse.models.utils import resize
from mmktse.registry import MODELS


@MODELS.register_module()
class FlipMaxSegTTAModel(MaxSegTTAModel):
    """Labels by the highest score that any scale gives.

    The score of a scale is the sum of those of the image and of its mirror.
    All are compared at the size of the original image, to which the network's
    map goes in one step.

    Args:
        module (dict or nn.Module): Segmentor with at least two classes.
        **kwargs: Arguments of mmengine's ``BaseTTAModel``.
    """

    def merge_preds(self, data_samples_list: List[SampleList]) -> SampleList:
        """Merges the views of every image.

        Args:
            data_samples_list (list[list[SegDataSample]]): Views of images,
                with ``seg_logits`` (C, h, w) as the network gives them.

        Returns:
            list[SegDataSample]: One sample per image with ``seg_logits``
            (C, H, W) and ``pred_sem_seg`` (1, H, W) at the original size.
        """
        predictions = []
        for views in data_samples_list:
            scales: Dict[Tuple[int, int], Tensor] = {}
            for view in views:
                logits = resize(view.seg_logits.data.float()[None],
                                view.ori_shape)[0]
                if view.flip:
                    logits = logits.flip(-1)
                size = tuple(view.img_shape)
                scales[size] = scales.get(size, 0) + logits
            merged = torch.stack(list(scales.values())).amax(0)
            views[0].set_data(
                dict(
                    seg_logits=PixelData(data=merged),
                    pred_sem_seg=PixelData(
                        data=merged.argmax(dim=0, keepdim=True))))
            predictions.append(views[0])
        return predictions
