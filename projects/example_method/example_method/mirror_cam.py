# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, List

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmktse.models import CAMClassifier
from mmktse.registry import MODELS


@MODELS.register_module()
class MirrorCAM(CAMClassifier):
    """The plain CAM network with :class:`MirrorLoss`.

    Made up for this example, from no paper. Images and mirrored images go
    forward together, which doubles the cost of a step.

    Args:
        mirror (dict): Config of :class:`MirrorLoss`.
        **kwargs: See :class:`mmktse.models.CAMClassifier`.
    """

    def __init__(self, *args, mirror: dict = dict(type='MirrorLoss'),
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.mirror = MODELS.build(mirror)

    def loss(self, inputs: Tensor,
             data_samples: List[DataSample]) -> Dict[str, Tensor]:
        """Weighted losses and the statistics of the maps.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            data_samples (list[DataSample]): Their image-level labels.

        Returns:
            dict[str, Tensor]: Scalars ``loss_cls`` and ``loss_mirror``;
            further keys are only logged.
        """
        both = torch.cat((inputs, inputs.flip(-1)))
        scores, mirrored = self.head.scores(self.score_maps(both)).chunk(2)
        targets = self.targets(data_samples, scores)
        return dict(
            loss_cls=self.head.loss(scores, targets),
            loss_mirror=self.mirror(scores, mirrored, targets),
            **self.cam_stats(scores, targets))
