# Copyright (c) mmktse authors. All rights reserved.
import torch
from torch import Tensor, nn

from mmktse.models.utils import resize
from mmktse.registry import MODELS


@MODELS.register_module()
class ImageEraser(nn.Module):
    """Takes away from an image what its CAM already shows.

    The score map, the maximum of the normalised CAMs over the classes,
    decides on its own: erasing knows no classes.

    Args:
        mode (str): 'hard' replaces pixels whose score lies above the
            threshold and leaves all others bit for bit; 'soft' fades every
            pixel out in proportion to its score. The abstract leaves this
            open. Defaults to 'hard'.
        threshold (float): Score above which a place counts as erased. 1
            erases nothing, a negative one everything. Defaults to 0.6.
        fill (float): Value of erased pixels after normalisation. Defaults to
            0, the mean of the data set.

    Raises:
        ValueError: If the mode is none of the two.
    """

    def __init__(self,
                 mode: str = 'hard',
                 threshold: float = 0.6,
                 fill: float = 0.) -> None:
        super().__init__()
        if mode not in ('hard', 'soft'):
            raise ValueError(f'mode of ImageEraser is "{mode}", not hard or '
                             'soft.')
        self.mode = mode
        self.threshold = threshold
        self.fill = fill

    def mask(self, score_map: Tensor) -> Tensor:
        """Where a score map (N, 1, h, w) in [0, 1] counts as erased.

        Returns:
            Tensor: Same shape, boolean.
        """
        return score_map > self.threshold

    def forward(self, images: Tensor, score_map: Tensor) -> Tensor:
        """Erased images.

        Args:
            images (Tensor): Normalised images (N, 3, H, W).
            score_map (Tensor): (N, 1, h, w) in [0, 1], resized here.

        Returns:
            Tensor: (N, 3, H, W).
        """
        score_map = resize(score_map, images.shape[2:])
        if self.mode == 'soft':
            return images + score_map * (self.fill - images)
        return torch.where(self.mask(score_map), self.fill, images)
