# Copyright (c) mmktse authors. All rights reserved.
from typing import List

import mmcv
import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.utils import SampleList

from mmktse.registry import MODELS


@MODELS.register_module()
class CRFSegTTAModel(SegTTAModel):
    """Refines the mean probabilities of all views before labelling.

    Views are averaged as in mmseg's ``SegTTAModel``; a single view is enough.
    The image is read again from ``img_path``, so that the refiner sees its
    original colours.

    Args:
        refiner (dict): Config of a refiner, for example
            ``dict(type='mmktse.DenseCRFRefiner')``.
        module (dict or nn.Module): Segmentor with at least two classes.
        **kwargs: Arguments of mmengine's ``BaseTTAModel``.
    """

    def __init__(self, refiner: dict, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.refiner = MODELS.build(refiner)

    def merge_preds(self, data_samples_list: List[SampleList]) -> SampleList:
        """Merges the views of every image.

        Args:
            data_samples_list (list[list[SegDataSample]]): Views of images,
                with ``seg_logits`` (C, H, W) at the original size.

        Returns:
            list[SegDataSample]: One sample per image; ``pred_sem_seg`` is the
            refined label map (1, H, W).
        """
        predictions = []
        for views in data_samples_list:
            # A sum, not a stack: the views need not be held at once.
            scores = sum(
                view.seg_logits.data.softmax(dim=0)
                for view in views) / len(views)
            image = mmcv.imread(views[0].img_path, channel_order='rgb')
            refined = torch.from_numpy(
                self.refiner(image,
                             scores.float().cpu().numpy()))
            views[0].set_data({
                'pred_sem_seg':
                PixelData(
                    data=refined.argmax(dim=0, keepdim=True).to(scores.device))
            })
            predictions.append(views[0])
        return predictions
