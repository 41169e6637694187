# Copyright (c) mmktse authors. All rights reserved.
from mmpretrain.models import ClsDataPreprocessor
from torch import Tensor

from mmktse.registry import MODELS


@MODELS.register_module()
class CAMDataPreprocessor(ClsDataPreprocessor):
    """:class:`mmpretrain.ClsDataPreprocessor` for pairs and for views.

    A training batch may carry ``partner_inputs`` and
    ``partner_data_samples``, handled like ``inputs`` and ``data_samples``. At
    test time ``inputs`` may be a list of views, each a list of images, which
    are normalised but not stacked, as their sizes differ.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        inputs = data['inputs']
        if isinstance(inputs,
                      (list, tuple)) and not isinstance(inputs[0], Tensor):
            return dict(
                inputs=[[self.normalize(img) for img in view]
                        for view in inputs],
                data_samples=self.cast_data(data.get('data_samples')))
        batch = super().forward(
            dict(inputs=inputs, data_samples=data.get('data_samples')),
            training)
        if 'partner_inputs' in data:
            partner = super().forward(
                dict(
                    inputs=data['partner_inputs'],
                    data_samples=data['partner_data_samples']), training)
            batch['partner_inputs'] = partner['inputs']
            batch['partner_data_samples'] = partner['data_samples']
        return batch

    def normalize(self, img: Tensor) -> Tensor:
        """Normalises one image (3, H, W) of 0 to 255."""
        img = self.cast_data(img).float()
        if self.to_rgb:
            img = img.flip(0)
        return (img - self.mean) / self.std

    def denormalize(self, inputs: Tensor) -> Tensor:
        """Turns network inputs (N, 3, H, W) into images in [0, 1]."""
        return (inputs * self.std + self.mean).div_(255).clamp_(0, 1)
