# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional

import numpy as np
import torch

from mmktse.registry import MODELS
from ..utils.par import PAR
from .base import BaseRefiner


@MODELS.register_module()
class PARRefiner(BaseRefiner):
    """Pixel-adaptive refinement of stored scores (:class:`PAR`).

    It maps scores (K + 1, H, W) to scores of the same shape, which are not
    normalised: a constant map grows by :attr:`PAR.gain`.

    Args:
        max_long (int, optional): See :class:`BaseRefiner`.
        **kwargs: Arguments of :class:`PAR`.
    """

    def __init__(self, max_long: Optional[int] = None, **kwargs) -> None:
        super().__init__(max_long)
        self.par = PAR(**kwargs)

    def refine(self, image: np.ndarray, scores: np.ndarray) -> np.ndarray:
        picture = torch.from_numpy(image.transpose(2, 0, 1).copy())
        refined = self.par(picture[None].float() / 255,
                           torch.from_numpy(scores)[None])
        return refined[0].numpy()
