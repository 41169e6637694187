# Copyright (c) mmktse authors. All rights reserved.
from typing import List, Sequence

import torch
from mmengine.model import BaseTTAModel
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.utils import SampleList
from torch import Tensor

from mmktse.registry import MODELS
from ..utils.cam import resize


@MODELS.register_module()
class MeanSegTTAModel(SegTTAModel):
    """Labels by the mean probability of all views.

    The rule is that of mmseg's ``SegTTAModel``; here the merged sample also
    carries the mean, as ``seg_logits`` whose softmax it is, for what refines
    it afterwards.

    Args:
        module (dict or nn.Module): Segmentor with at least two classes.
        **kwargs: Arguments of mmengine's ``BaseTTAModel``.
    """

    def merge_preds(self, data_samples_list: List[SampleList]) -> SampleList:
        """Merges the views of every image.

        Args:
            data_samples_list (list[list[SegDataSample]]): Views of images,
                with ``seg_logits`` (C, H, W) at the original size.

        Returns:
            list[SegDataSample]: One sample per image with ``seg_logits``
            (C, H, W) and ``pred_sem_seg`` (1, H, W).
        """
        predictions = []
        for views in data_samples_list:
            # A sum, not a stack: the probabilities need not be held at once.
            mean = sum(view.seg_logits.data.float().softmax(dim=0)
                       for view in views) / len(views)
            logits = mean.clamp_min(torch.finfo(mean.dtype).tiny).log()
            views[0].set_data(
                dict(
                    seg_logits=PixelData(data=logits),
                    pred_sem_seg=PixelData(
                        data=mean.argmax(dim=0, keepdim=True))))
            predictions.append(views[0])
        return predictions


def merge_max(views: Sequence[Tensor]) -> Tensor:
    """Pixelwise maximum of the scores of several views.

    Args:
        views (Sequence[Tensor]): Scores (N, C, h, w), or (C, h, w), of each
            view; h and w may differ.

    Returns:
        Tensor: Of the shape of the first view, float32.
    """
    batches = [view.float().view(-1, *view.shape[-3:]) for view in views]
    merged = batches[0]
    for batch in batches[1:]:
        merged = torch.maximum(merged, resize(batch, merged.shape[2:]))
    return merged.view_as(views[0])


@MODELS.register_module()
class MaxSegTTAModel(BaseTTAModel):
    """Labels by the highest score that any view gives.

    Multi-scale testing as Rong et al., CVPR 2023 (BECO) publish it: the
    scores of all views, at the stride of the network, are brought to the size
    of the first view's, which thereby should be the view of scale 1.

    Args:
        module (dict or nn.Module): Segmentor with at least two classes.
        **kwargs: Arguments of mmengine's ``BaseTTAModel``.
    """

    def test_step(self, data: dict) -> SampleList:
        """Predicts a batch.

        Args:
            data (dict): ``inputs``, a list of images of each view, and
                ``data_samples``, likewise.

        Returns:
            list[SegDataSample]: See :meth:`merge_preds`.
        """
        predictions = []
        for inputs, samples in zip(data['inputs'], data['data_samples']):
            batch = self.module.data_preprocessor(
                dict(inputs=inputs, data_samples=samples), False)
            scores = self.module(**batch, mode='tensor')
            for sample, score in zip(batch['data_samples'], scores):
                sample.set_data(dict(seg_logits=PixelData(data=score)))
            predictions.append(batch['data_samples'])
        return self.merge_preds(list(zip(*predictions)))

    def merge_preds(self, data_samples_list: List[SampleList]) -> SampleList:
        """Merges the views of every image.

        Args:
            data_samples_list (list[list[SegDataSample]]): Views of images,
                with ``seg_logits`` (C, h, w) as the network gives them.

        Returns:
            list[SegDataSample]: One sample per image with ``seg_logits``
            (C, H, W) and ``pred_sem_seg`` (1, H, W) at the original size.

        Raises:
            ValueError: If a view is flipped or padded.
        """
        predictions = []
        for views in data_samples_list:
            if any(
                    view.get('flip') or any(view.get('img_padding_size', ()))
                    for view in views):
                raise ValueError(
                    'MaxSegTTAModel compares views pixel by pixel: take '
                    'RandomFlip out of tta_pipeline and padding out of '
                    'data_preprocessor.test_cfg, or use MeanSegTTAModel.')
            merged = merge_max([view.seg_logits.data for view in views])
            predictions += self.module.postprocess_result(
                merged[None], [views[0]])
        return predictions
