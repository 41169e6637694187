# Copyright (c) mmktse authors. All rights reserved.
from mmseg.models import SegDataPreProcessor

from mmktse.registry import MODELS


@MODELS.register_module()
class ViewsDataPreprocessor(SegDataPreProcessor):
    """mmseg's ``SegDataPreProcessor`` for inputs of several views.

    The views of :class:`PackViews` have the size of the crop, so there is
    nothing to pad. At test time it is the stock one.

    Args:
        **kwargs: Arguments of ``mmseg.SegDataPreProcessor``.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalises.

        Args:
            data (dict): ``inputs``, lists of images (3, H, W) of 0 to 255 by
                name of the view, and ``data_samples``.
            training (bool): Whether to stack and pad for training.

        Returns:
            dict: ``inputs``, batches (N, 3, H, W) by name of the view, and
            ``data_samples``.
        """
        if not isinstance(data['inputs'], dict):
            return super().forward(data, training)
        views = {
            name:
            super(ViewsDataPreprocessor,
                  self).forward(dict(inputs=images))['inputs']
            for name, images in data['inputs'].items()
        }
        return dict(
            inputs=views, data_samples=self.cast_data(data['data_samples']))
