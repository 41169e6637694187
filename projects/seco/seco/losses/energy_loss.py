# Copyright (c) mmktse authors. All rights reserved.
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmktse.registry import MODELS
from ..bilateral_filter import bilateral_filter
from ..cam_labels import inside_boxes


@MODELS.register_module()
class DenseEnergyLoss(nn.Module):
    """Potts energy of a dense CRF (Tang et al., ECCV 2018; SeCo, L_reg).

    Pixels that are near and alike should have the same class. It counts
    where the scores are unsure of themselves or the label is ignored: each
    pixel by the gate 1 - max score, or 1 where the label is 255.

    Args:
        loss_weight (float): Weight of the loss; 0 skips it.
            Defaults to 1e-7.
        sigma_rgb (float): Width of the filter in grey levels. Defaults to 15.
        sigma_xy (float): Its width in pixels of the image. Defaults to 100.
        scale_factor (float): Size of the map that the filter works on,
            relative to the image. Defaults to 0.5.
        exact (bool): See :func:`bilateral_filter`. The exact sum is nearly
            twice as strong as the published lattice. Defaults to False.

    Shape:
        - images: (N, 3, H, W) RGB in 0 to 255, not normalised.
        - logits: (N, C, H, W), background first.
        - labels: (N, H, W), 255 ignored.
        - boxes: (N, 4) ``[y0, y1, x0, x1]``, half open, in pixels: where the
          crop shows the image. The rest takes no part.
        - output: scalar, not above 0, the mean over the images. The filtered
          map and the gate are constants in the backward pass.
    """

    def __init__(self,
                 loss_weight: float = 1e-7,
                 sigma_rgb: float = 15.,
                 sigma_xy: float = 100.,
                 scale_factor: float = 0.5,
                 exact: bool = False) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.sigma_rgb = sigma_rgb
        self.sigma_xy = sigma_xy
        self.scale_factor = scale_factor
        self.exact = exact

    def filter(self, images: Tensor, scores: Tensor) -> Tensor:
        """Filters scores (N, C, h, w) on images (N, 3, h, w), both small."""
        return bilateral_filter(images, scores, self.sigma_rgb,
                                self.sigma_xy * self.scale_factor, self.exact)

    def forward(self, images: Tensor, logits: Tensor, labels: Tensor,
                boxes: Tensor) -> Tensor:
        if not self.loss_weight:
            return logits.sum() * 0.
        scale = dict(scale_factor=self.scale_factor)
        inside = inside_boxes(boxes, images.shape[2:])
        inside = F.interpolate(inside[:, None].float(), **scale)
        ignored = F.interpolate((labels[:, None] == 255).float(), **scale) > 0
        images = F.interpolate(images.float(), **scale)
        scores = F.interpolate(
            logits.float().softmax(1),
            mode='bilinear',
            align_corners=False,
            **scale)
        with torch.no_grad():
            gate = (inside - scores.amax(1, keepdim=True)).relu()
            gate.masked_fill_(ignored, 1.)
            filtered = self.filter(images, scores * inside) * gate
        energy = -(scores * inside * filtered).sum() / len(images)
        # Both maps of the product depend on the scores: twice the gradient.
        return self.loss_weight * (2 * energy - energy.detach())
