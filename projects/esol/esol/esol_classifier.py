# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, List, Optional

from mmpretrain.structures import DataSample
from torch import Tensor

from mmktse.models import CAMClassifier
from mmktse.registry import MODELS


@MODELS.register_module()
class ESOL(CAMClassifier):
    """Expansion and Shrinkage of Localization (NeurIPS 2022).

    The plain CAM network with :class:`ESOLHead`. After the stage 'warm' the
    backbone is fixed and in eval mode, and no gradient reaches it.

    Args:
        area (dict, optional): :class:`AreaLoss` of the stage 'shrink'.
            Defaults to None: without.
        **kwargs: See :class:`mmktse.models.CAMClassifier`.
    """

    def __init__(self, *args, area: Optional[dict] = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.area = MODELS.build(area) if area else None
        if self.head.stage != 'warm':
            self.backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> 'ESOL':
        """Sets the mode; a fixed backbone stays in eval mode."""
        super().train(mode)
        if self.head.stage != 'warm':
            self.backbone.eval()
        return self

    def loss(self, inputs: Tensor,
             data_samples: List[DataSample]) -> Dict[str, Tensor]:
        """Weighted losses and the statistics of the maps.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            data_samples (list[DataSample]): Their image-level labels.

        Returns:
            dict[str, Tensor]: ``loss_cls`` of all classes, which the offsets
            of the stage 'expand' climb, unless it is ``loss_ascent``, that of
            the present ones (:attr:`ESOLHead.present_only`); ``loss_area``
            while those of 'shrink' are trained. Further keys are only logged.
        """
        maps = self.score_maps(inputs)
        scores = self.head.scores(maps)
        targets = self.targets(data_samples, scores)
        losses = dict(
            loss_cls=self.head.loss(scores, targets),
            **self.cam_stats(scores, targets))
        if self.head.climbs_present:
            losses['loss_ascent'] = self.head.ascent_loss(maps, targets)
        if self.area is not None and not self.head.held:
            losses['loss_area'] = self.area(scores, targets)
        return losses
