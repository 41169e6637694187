# Copyright (c) mmktse authors. All rights reserved.
from abc import abstractmethod
from typing import Optional

import numpy as np

from mmktse.registry import MODELS
from .base import BaseRefiner


class _BaseCRF(BaseRefiner):
    """Fully connected CRF with a Gaussian and a bilateral kernel.

    The subclasses, which differ in the unary term, describe the arguments.
    """

    def __init__(self, num_iters: int, gaussian_sxy: float,
                 gaussian_compat: float, bilateral_sxy: float,
                 bilateral_srgb: float, bilateral_compat: float,
                 max_long: Optional[int]) -> None:
        super().__init__(max_long)
        try:
            from pydensecrf import densecrf, utils
        except ImportError as error:
            raise ImportError(
                f'{type(self).__name__} needs pydensecrf: install it with '
                '"pip install pydensecrf2" (the extra crf), or refine with '
                "dict(type='PARRefiner'), which needs no extra package."
            ) from error
        self.densecrf = densecrf
        self.utils = utils
        self.num_iters = num_iters
        self.gaussian = dict(sxy=gaussian_sxy, compat=gaussian_compat)
        self.bilateral = dict(
            sxy=bilateral_sxy, srgb=bilateral_srgb, compat=bilateral_compat)

    @abstractmethod
    def unary(self, scores: np.ndarray) -> np.ndarray:
        """Energies (K + 1, H * W) of scores (K + 1, H, W)."""

    def refine(self, image: np.ndarray, scores: np.ndarray) -> np.ndarray:
        count, height, width = scores.shape
        if count == 1:  # nothing competes with the background
            return np.ones_like(scores)
        crf = self.densecrf.DenseCRF2D(width, height, count)
        crf.setUnaryEnergy(np.ascontiguousarray(self.unary(scores)))
        crf.addPairwiseGaussian(**self.gaussian)
        crf.addPairwiseBilateral(
            rgbim=np.require(image, requirements='CW'), **self.bilateral)
        posterior = crf.inference(self.num_iters)
        return np.array(posterior, np.float32).reshape(scores.shape)


@MODELS.register_module()
class DenseCRFRefiner(_BaseCRF):
    """CRF whose unary term is the scores, taken as probabilities.

    Fully connected, with a smoothness and an appearance kernel (Krähenbühl
    and Koltun, NeurIPS 2011). It maps scores (K + 1, H, W) to probabilities
    of the same shape.

    The scores, background included, are clipped to [1e-5, 1] and used as they
    are; they need not sum to one. With seeds use it together with a power
    background (see :func:`mmktse.seeds.make_label`), or with a constant one.

    Args:
        num_iters (int): Mean-field iterations. Defaults to 10.
        gaussian_sxy (float): Width in pixels of the smoothness kernel.
            Defaults to 3.
        gaussian_compat (float): Its weight. Defaults to 3.
        bilateral_sxy (float): Width in pixels of the appearance kernel.
            Defaults to 80.
        bilateral_srgb (float): Its width in grey levels (0 to 255).
            Defaults to 13.
        bilateral_compat (float): Its weight. Defaults to 10.
        max_long (int, optional): See :class:`BaseRefiner`; the widths are
            those in the image that is refined.

    Raises:
        ImportError: If pydensecrf is not installed.
    """

    def __init__(self,
                 num_iters: int = 10,
                 gaussian_sxy: float = 3,
                 gaussian_compat: float = 3,
                 bilateral_sxy: float = 80,
                 bilateral_srgb: float = 13,
                 bilateral_compat: float = 10,
                 max_long: Optional[int] = None) -> None:
        super().__init__(num_iters, gaussian_sxy, gaussian_compat,
                         bilateral_sxy, bilateral_srgb, bilateral_compat,
                         max_long)

    def unary(self, scores: np.ndarray) -> np.ndarray:
        return self.utils.unary_from_softmax(scores)


@MODELS.register_module()
class LabelCRFRefiner(_BaseCRF):
    """CRF whose unary term is the strongest label, trusted to a degree.

    Like :class:`DenseCRFRefiner` in all else; Ahn et al., CVPR 2019 (IRN)
    refine seeds this way. The size of the scores
    does not matter, only their order.

    Args:
        confidence (float): Probability of the given label, in (0, 1).
            Defaults to 0.7.
        num_iters (int): Mean-field iterations. Defaults to 10.
        gaussian_sxy (float): Width in pixels of the smoothness kernel.
            Defaults to 3.
        gaussian_compat (float): Its weight. Defaults to 3.
        bilateral_sxy (float): Width in pixels of the appearance kernel.
            Defaults to 50.
        bilateral_srgb (float): Its width in grey levels (0 to 255).
            Defaults to 5.
        bilateral_compat (float): Its weight. Defaults to 10.
        max_long (int, optional): See :class:`BaseRefiner`; the widths are
            those in the image that is refined.

    Raises:
        ImportError: If pydensecrf is not installed.
    """

    def __init__(self,
                 confidence: float = 0.7,
                 num_iters: int = 10,
                 gaussian_sxy: float = 3,
                 gaussian_compat: float = 3,
                 bilateral_sxy: float = 50,
                 bilateral_srgb: float = 5,
                 bilateral_compat: float = 10,
                 max_long: Optional[int] = None) -> None:
        super().__init__(num_iters, gaussian_sxy, gaussian_compat,
                         bilateral_sxy, bilateral_srgb, bilateral_compat,
                         max_long)
        self.confidence = confidence

    def unary(self, scores: np.ndarray) -> np.ndarray:
        return self.utils.unary_from_labels(
            scores.argmax(0), len(scores), self.confidence, zero_unsure=False)
