# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, List, Optional, Tuple

import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.utils import OptSampleList, SampleList
from torch import Tensor

from mmktse.registry import MODELS
from ..utils.cam import resize
from ..utils.class_mix import boundary, choose_paste, class_mix, partner
from ..utils.color_augment import ColorAugment
from ..utils.preprocessor import swaps_channels


@MODELS.register_module()
class BECO(EncoderDecoder):
    """Two segmentation networks that are trained together.

    Boundary-enhanced co-training (Rong et al., CVPR 2023) as KTSE uses it for
    its last stage. The first network is the
    :class:`mmseg.models.EncoderDecoder` itself, so that any config of one
    becomes a config of two by its ``type``, and a checkpoint serves a single
    network as well; the second one, ``second``, differs in what its head
    started from.

    Each image is mixed, with a probability, with the one half a batch away
    (ClassMix). Once ``online`` is set (by
    :class:`~mmktse.engine.hooks.OnlineLabelHook`), mixed images take the
    labels that both networks predict on the unmixed ones.

    Args:
        loss (dict): See :class:`CoTrainingLoss`.
        mix_prob (float): Probability that an image is mixed. Defaults to 0.5.
        online_confidence (float): Online labels are confident above this
            probability. Defaults to 0.95.
        color_augment (dict, optional): Arguments of :class:`ColorAugment`,
            applied to the mixed images; None leaves colours alone.
        **kwargs: Arguments of :class:`mmseg.models.EncoderDecoder`.

    Raises:
        ValueError: If the config has an auxiliary head.
    """

    def __init__(self,
                 *,
                 loss: dict = dict(type='mmktse.CoTrainingLoss'),
                 mix_prob: float = 0.5,
                 online_confidence: float = 0.95,
                 color_augment: Optional[dict] = dict(),
                 data_preprocessor: Optional[dict] = None,
                 **kwargs) -> None:
        if kwargs.get('auxiliary_head') is not None:
            raise ValueError('BECO trains decode heads alone: set '
                             'auxiliary_head=None.')
        super().__init__(data_preprocessor=data_preprocessor, **kwargs)
        self.second = EncoderDecoder(**kwargs)
        self.co_loss = MODELS.build(loss)
        self.mix_prob = mix_prob
        self.online_confidence = online_confidence
        self.augment = None if color_augment is None else ColorAugment(
            **color_augment)
        self.online = False

    def encode_decode(self, inputs: Tensor,
                      batch_img_metas: List[dict]) -> Tensor:
        """Mean of the scores of both networks, at the size of the input."""
        first = super().encode_decode(inputs, batch_img_metas)
        return (first + self.second.encode_decode(inputs, batch_img_metas)) / 2

    def _forward(self,
                 inputs: Tensor,
                 data_samples: OptSampleList = None) -> Tensor:
        """Mean of the scores of both networks (N, C, h, w)."""
        return sum(self.both(inputs)) / 2

    def both(self, inputs: Tensor) -> Tuple[Tensor, Tensor]:
        """Scores (N, C, h, w) of each network."""
        return super()._forward(inputs), self.second(inputs)

    def loss(self, inputs: Tensor,
             data_samples: SampleList) -> Dict[str, Tensor]:
        """Losses of both networks.

        Args:
            inputs (Tensor): Images (N, 3, H, W), before any change of colour.
            data_samples (list[SegDataSample]): With ``gt_sem_seg`` and
                ``gt_confidence``, see :class:`LoadConfidence`, both of the
                size of the image.

        Returns:
            dict[str, Tensor]: ``loss_seg`` and ``loss_cot``;
            ``label_confident``, the share of confident pixels, is only logged.

        Raises:
            ValueError: If there is one image alone.
        """
        if len(inputs) < 2:
            raise ValueError('BECO mixes the images of a batch: give every '
                             'process a batch_size of at least 2.')
        label = torch.cat([s.gt_sem_seg.data for s in data_samples])
        confidence = torch.cat([s.gt_confidence.data for s in data_samples])
        given = online = label, confidence > 0
        if self.online:
            online = self.online_labels(inputs)
        # Before the networks know anything, whole objects of the labels are
        # pasted, their unsure parts included, and no boundary is learnt.
        paste = partner(
            choose_paste(online[0], self.num_classes,
                         online[1] if self.online else None))
        mixed = torch.rand(len(inputs), device=inputs.device) < self.mix_prob
        paste &= mixed[:, None, None]
        images, label, confidence = class_mix(inputs, given, online, paste,
                                              mixed)
        edges = boundary(paste) if self.online else torch.zeros_like(paste)
        if self.augment is not None:
            images = self._augment(images)
        logits1, logits2 = (
            resize(logits.float(), images.shape[2:])
            for logits in self.both(images))
        return dict(
            self.co_loss(logits1, logits2, label, confidence, edges),
            label_confident=confidence.float().mean())

    @torch.no_grad()
    def online_labels(self, inputs: Tensor) -> Tuple[Tensor, Tensor]:
        """Labels of both networks together, in evaluation mode.

        Args:
            inputs (Tensor): Images (N, 3, H, W).

        Returns:
            tuple[Tensor, Tensor]: Labels (N, H, W) long, and where their
            probability is above ``online_confidence``, (N, H, W) bool.
        """
        self.eval()
        logits = resize(self._forward(inputs).float(), inputs.shape[2:])
        self.train()
        # Older PyTorch would use the weights cast here, which have no
        # gradient, in the forward pass that follows.
        torch.clear_autocast_cache()
        probability, label = logits.softmax(dim=1).max(dim=1)
        return label, probability > self.online_confidence

    @torch.no_grad()
    def _augment(self, images: Tensor) -> Tensor:
        preprocessor = self.data_preprocessor
        # Networks with Caffe's weights see BGR.
        order = [0, 1, 2] if swaps_channels(preprocessor) else [2, 1, 0]
        mean, std = preprocessor.mean, preprocessor.std
        pixels = (images * std + mean)[:, order] / 255
        # The blur is a convolution: no half precision.
        with torch.autocast(images.device.type, enabled=False):
            pixels = self.augment(pixels.clamp(0, 1))
        return (pixels[:, order] * 255 - mean) / std
