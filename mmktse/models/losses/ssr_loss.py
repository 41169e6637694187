# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmktse.registry import MODELS
from ..utils.cam import resize
from ..utils.reduction import masked_mean


@MODELS.register_module()
class SSRLoss(nn.Module):
    """Self-supervised regularisation with online labels (KTSE, SSR).

    Cross-entropy of the rectified maps, background and foreground pixels
    averaged apart, and L_inter, which lowers the runner-up class where the
    image is foreground. Images with one class take part in the foreground
    term, images with several in L_inter. Every mean over no pixel is 0.

    Args:
        bg_weight (float): Weight of the background term.
        fg_weight (float): Weight of the foreground term.
        inter_weight (float): Weight of L_inter.
        mixed_weight (float): Weight of the loss on the joined images, on top
            of the first two.
        fg_threshold (float): Foreground of L_inter, in normalised CAM.
    """

    def __init__(self,
                 bg_weight: float = 1.0,
                 fg_weight: float = 0.0125,
                 inter_weight: float = 0.005,
                 mixed_weight: float = 1.0,
                 fg_threshold: float = 0.2) -> None:
        super().__init__()
        self.bg_weight = bg_weight
        self.fg_weight = fg_weight
        self.inter_weight = inter_weight
        self.mixed_weight = mixed_weight
        self.fg_threshold = fg_threshold

    def cross_entropy(self, maps: Tensor, labels: Tensor,
                      fg_images: Tensor) -> Dict[str, Tensor]:
        """Background and foreground cross-entropy.

        Args:
            maps (Tensor): Rectified scores at label size (N, C + 1, H, W).
            labels (Tensor): Label maps (N, H, W) with 255 ignored.
            fg_images (Tensor): (N,) boolean, images of the foreground term.

        Returns:
            dict[str, Tensor]: Scalars ``bg`` and ``fg``, weighted.
        """
        error = F.cross_entropy(
            maps, labels, ignore_index=255, reduction='none')
        foreground = (labels > 0) & (labels < 255) & fg_images[:, None, None]
        return dict(
            bg=self.bg_weight * masked_mean(error, labels == 0),
            fg=self.fg_weight * masked_mean(error, foreground))

    def inter(self, maps: Tensor, cam_fg: Tensor,
              complex_images: Tensor) -> Tensor:
        """L_inter, at most 0, weighted.

        Args:
            maps (Tensor): Rectified scores (N, C + 1, H, W).
            cam_fg (Tensor): Foreground CAM (N, 1, H, W) in [0, 1].
            complex_images (Tensor): (N,) boolean, images with several classes.
        """
        values = maps[:, 1:]
        first = values.amax(1, keepdim=True)
        # Every channel equal to the maximum is removed, ties included.
        second = values.masked_fill(values == first, 0.).amax(1)
        mask = (cam_fg[:, 0] > self.fg_threshold) & complex_images[:, None,
                                                                   None]
        gap = second - first[:, 0].detach()
        return self.inter_weight * masked_mean(gap, mask, eps=1e-5)

    def forward(self, maps: Tensor, labels: Tensor, cam_fg: Tensor,
                targets: Tensor) -> Dict[str, Tensor]:
        """Loss on the anchors.

        Args:
            maps (Tensor): Head output (N, C + 1, h, w), background first.
            labels (Tensor): Label maps (N, H, W) with 255 ignored.
            cam_fg (Tensor): Foreground CAM (N, 1, H, W) in [0, 1].
            targets (Tensor): Image-level labels (N, C), 0 or 1.

        Returns:
            dict[str, Tensor]: Scalars ``loss_bg``, ``loss_fg``,
            ``loss_inter``.
        """
        full = resize(maps.float().relu(), labels.shape[1:])
        count = targets.sum(1)
        losses = self.cross_entropy(full, labels, count == 1)
        return dict(
            loss_bg=losses['bg'],
            loss_fg=losses['fg'],
            loss_inter=self.inter(full, cam_fg, count > 1))

    def mixed(self, maps: Tensor, labels: Tensor) -> Tensor:
        """Loss on the joined images (K, C + 1, h, w): no simple/complex."""
        full = resize(maps.float().relu(), labels.shape[1:])
        every = torch.ones(len(maps), dtype=torch.bool, device=maps.device)
        losses = self.cross_entropy(full, labels, every)
        return self.mixed_weight * (losses['bg'] + losses['fg'])
