# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, List, Optional

import torch
from mmengine.dist import get_world_size
from mmpretrain.structures import DataSample
from torch import Tensor

from mmktse.registry import MODELS
from ..utils import OnlineLabeler, foreground_cam
from .cam_classifier import CAMClassifier


@MODELS.register_module()
class KTSE(CAMClassifier):
    """Knowledge Transfer with Simulated Inter-Image Erasing (ECCV 2024).

    A batch without partners gets the classification loss alone, which is the
    warm-up. With partners every configured term is added: anchors and the
    used partners go forward together, then the erased anchors, then the
    joined images.

    Args:
        sie (dict, optional): :class:`SIELoss`; None leaves the term out.
        ssr (dict, optional): :class:`SSRLoss`; None leaves the term out.
        mga (dict, optional): :class:`MGALoss`; None leaves the term out.
        num_joint (int): Pairs of the batch over all ranks that are joined,
            the first ones. Defaults to 4.
        erase_threshold (float): Normalised CAM from which the anchor is
            erased. Defaults to 0.6.
        labeler (dict): Arguments of :class:`OnlineLabeler`.
        **kwargs: See :class:`CAMClassifier`.
    """

    def __init__(self,
                 *args,
                 sie: Optional[dict] = dict(type='SIELoss'),
                 ssr: Optional[dict] = dict(type='SSRLoss'),
                 mga: Optional[dict] = dict(type='MGALoss'),
                 num_joint: int = 4,
                 erase_threshold: float = 0.6,
                 labeler: dict = dict(),
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.sie = MODELS.build(sie) if sie else None
        self.ssr = MODELS.build(ssr) if ssr else None
        self.mga = MODELS.build(mga) if mga else None
        self.num_joint = num_joint
        self.erase_threshold = erase_threshold
        self.labeler = OnlineLabeler(**labeler)

    def loss(
        self,
        inputs: Tensor,
        data_samples: List[DataSample],
        partner_inputs: Optional[Tensor] = None,
        partner_data_samples: Optional[List[DataSample]] = None
    ) -> Dict[str, Tensor]:
        """All weighted losses and the statistics of maps and labels.

        Args:
            inputs (Tensor): Anchors (N, 3, H, W).
            data_samples (list[DataSample]): Labels of the anchors.
            partner_inputs (Tensor, optional): Partners (N, 3, H, W), each of
                one class with its anchor.
            partner_data_samples (list[DataSample], optional): Their labels.

        Returns:
            dict[str, Tensor]: ``loss_cls`` and, with partners, ``loss_kt``,
            ``loss_local``, ``loss_global``, ``loss_bg``, ``loss_fg``,
            ``loss_inter``, ``loss_two``; further keys are only logged.
        """
        if partner_inputs is None:
            return super().loss(inputs, data_samples)
        num = len(inputs)
        joint = 0
        if self.sie is not None:
            joint = min(max(self.num_joint // get_world_size(), 1), num)
        images = torch.cat((inputs, partner_inputs[:joint]))
        samples = [*data_samples, *partner_data_samples[:joint]]
        maps = self.score_maps(images)
        scores = self.head.scores(maps)
        targets = self.targets(samples, scores)
        anchor, anchor_targets = scores[:num], targets[:num]

        losses = dict(
            loss_cls=self.head.loss(anchor, anchor_targets),
            **self.cam_stats(anchor, anchor_targets))
        labels = None
        if self.ssr is not None or self.mga is not None:
            cam_fg = foreground_cam(anchor.detach(), anchor_targets,
                                    inputs.shape[2:])
        if self.ssr is not None:
            labels = self.labeler(
                self.data_preprocessor.denormalize(images), scores, targets,
                [len(sample.gt_label) for sample in samples])
            losses.update(
                self.ssr(maps[:num], labels[:num], cam_fg, anchor_targets))
            losses.update(self.label_stats(labels))
        if self.mga is not None:
            erased = inputs * (cam_fg < self.erase_threshold)
            cam_low = foreground_cam(anchor.detach(), anchor_targets,
                                     anchor.shape[2:])
            losses.update(
                self.mga(anchor, self.head.scores(self.score_maps(erased)),
                         cam_low < self.erase_threshold, anchor_targets))
        if self.sie is not None:

            def stack(values):
                # Anchor above partner, along the height.
                return torch.cat((values[:joint], values[num:]), dim=-2)

            joint_maps = self.score_maps(stack(images))
            union = torch.maximum(targets[:joint], targets[num:])
            losses['loss_kt'] = self.sie(
                self.head.scores(joint_maps), stack(scores), union)
            if labels is not None:
                losses['loss_two'] = self.ssr.mixed(joint_maps, stack(labels))
        return losses
