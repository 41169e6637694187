# Copyright (c) mmktse authors. All rights reserved.
"""Label maps from CAMs, for each of SeCo's uses.

In all of them 0 is background, c a class from 1 and 255 ignored. Boxes
``[y0, y1, x0, x1]``, half open, say where a crop shows the image; what is
outside is ignored.
"""
from typing import Sequence, Tuple

import torch
from torch import Tensor

from mmktse.models.utils import OnlineLabeler, resize

# Of ImageNet, for RGB in [0, 1] and in 0 to 255.
_UNIT_MEAN = (0.485, 0.456, 0.406)
_UNIT_STD = (0.229, 0.224, 0.225)
_MEAN = (123.675, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)


def _truncated_levels() -> Tensor:
    """What becomes of each 8-bit level of R, G and B, (3, 256).

    The published code normalises in [0, 1], brings back to [0, 255] and
    truncates. How float32 rounds decides, hence no rearrangement.
    """
    mean, std, unit_mean, unit_std = (
        torch.tensor(values)[:, None]
        for values in (_MEAN, _STD, _UNIT_MEAN, _UNIT_STD))
    normalised = (torch.arange(256) / 255 - unit_mean) / unit_std
    return (normalised * std + mean).trunc()


def inside_boxes(boxes: Tensor, size: Tuple[int, int]) -> Tensor:
    """Where boxes (N, 4) are, (N, H, W) boolean, in maps of a size (H, W)."""
    y0, y1, x0, x1 = boxes[:, :, None].unbind(1)
    rows, columns = (torch.arange(side, device=boxes.device) for side in size)
    inside_rows = (rows >= y0) & (rows < y1)
    inside_columns = (columns >= x0) & (columns < x1)
    return inside_rows[:, :, None] & inside_columns[:, None]


def banded_label(cams: Tensor,
                 targets: Tensor,
                 boxes: Tensor,
                 thresholds: Tuple[float, float],
                 band: int = 255) -> Tensor:
    """Labels for training, unsure between two thresholds.

    Args:
        cams (Tensor): CAMs (N, C, H, W) in [0, 1).
        targets (Tensor): Image-level labels (N, C), 0 or 1.
        boxes (Tensor): (N, 4), in pixels of the CAMs.
        thresholds (tuple[float, float]): High and low one: a class is shown
            above the first, background up to the second.
        band (int): What is written in between: 255, ignored, in pseudo
            labels; -1, uncertain, in the ROI map that crops are taken from.
            Defaults to 255.

    Returns:
        Tensor: Label maps (N, H, W) long.
    """
    high, low = thresholds
    score, index = (cams * targets[:, :, None, None]).max(1)
    labels = (index + 1).masked_fill(score <= high, band)
    labels.masked_fill_(score <= low, 0)
    inside = inside_boxes(boxes, labels.shape[1:])
    return labels.masked_fill_(~inside, 255)


def token_label(cams: Tensor,
                targets: Tensor,
                boxes: Tensor,
                thresholds: Tuple[float, float],
                size: Tuple[int, int],
                faithful: bool = True) -> Tensor:
    """Labels of tokens, for :class:`PTCLoss`.

    Args:
        cams (Tensor): CAMs (N, C, H, W) in [0, 1).
        targets (Tensor): Image-level labels (N, C), 0 or 1.
        boxes (Tensor): (N, 4), in pixels of the CAMs.
        thresholds (tuple[float, float]): See :func:`banded_label`.
        size (tuple[int, int]): Number of tokens (h, w).
        faithful (bool): As published the boxes are in pixels in the map of
            tokens, too: an image whose box starts at h or beyond is ignored
            altogether, and padding behind its end is not. Otherwise a token
            counts that is inside the box as a whole. Defaults to True.

    Returns:
        Tensor: Label maps (N, h, w) long.
    """
    if not faithful:
        stride = [
            full / side for full, side in zip(cams.shape[2:], size)
            for _ in range(2)
        ]
        boxes = boxes / boxes.new_tensor(stride, dtype=torch.float)
        boxes = torch.stack((boxes[:, 0].ceil(), boxes[:, 1].floor(),
                             boxes[:, 2].ceil(), boxes[:, 3].floor()), 1)
    return banded_label(resize(cams, size), targets, boxes, thresholds)


class PseudoMaskLabeler(OnlineLabeler):
    """Pseudo masks for the segmentation head: CAMs refined by PAR (SeCo).

    The labels of :class:`~mmktse.models.utils.OnlineLabeler`, from CAMs that
    are normalised already, inside boxes.

    Args:
        thresholds (tuple[float, float]): High and low background score.
            Defaults to (0.7, 0.25).
        faithful (bool): Show PAR the image of the published code, which turns
            the normalised float32 image into 8 bit by truncation: 19 of the
            256 levels of red, 7 of green and 6 of blue are one too low.
            Defaults to True.
        **kwargs: ``scale`` and ``par`` of the base class.
    """

    def __init__(self,
                 thresholds: Tuple[float, float] = (0.7, 0.25),
                 faithful: bool = True,
                 **kwargs) -> None:
        super().__init__(
            thresholds, truncate_image=faithful, keep_empty=True, **kwargs)
        self.truncated = _truncated_levels()

    def normalise(self, scores: Tensor) -> Tensor:
        """CAMs (N, C, H, W) as they are."""
        return scores

    @torch.no_grad()
    def forward(self, images: Tensor, cams: Tensor, targets: Tensor,
                num_present: Sequence[int], boxes: Tensor) -> Tensor:
        """Labels a batch.

        Args:
            images (Tensor): RGB images (N, 3, H, W) in [0, 1].
            cams (Tensor): CAMs (N, C, H, W) in [0, 1).
            targets (Tensor): Image-level labels (N, C), 0 or 1.
            num_present (Sequence[int]): Number of present classes of every
                image.
            boxes (Tensor): (N, 4), in pixels.

        Returns:
            Tensor: Label maps (N, H, W) long, 255 outside the boxes.
        """
        labels = super().forward(images, cams, targets, num_present)
        return labels.masked_fill_(~inside_boxes(boxes, labels.shape[1:]), 255)
