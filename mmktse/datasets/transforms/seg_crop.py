# Copyright (c) mmktse authors. All rights reserved.
import mmpretrain.datasets.transforms as mmpretrain_transforms
from mmcv.image import imresize

from mmktse.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomResizedSegCrop(mmpretrain_transforms.RandomResizedCrop):
    """mmpretrain's ``RandomResizedCrop`` for an image and its label maps.

    Required keys: ``img``, ``seg_fields``. Modified keys: ``img``,
    ``img_shape`` and every key in ``seg_fields``, whose values are not
    interpolated.

    Args:
        scale (int | Sequence[int]): Height and width of the result.
        crop_ratio_range (tuple[float, float]): Share of the image's area.
        aspect_ratio_range (tuple[float, float]): Width divided by
            height.
        **kwargs: See :class:`mmpretrain.datasets.RandomResizedCrop`.
    """

    def transform(self, results: dict) -> dict:
        """Cuts the same piece of image and label maps and resizes it."""
        top, left, height, width = self.rand_crop_params(results['img'])
        for key in ('img', *results['seg_fields']):
            piece = results[key][top:top + height, left:left + width]
            results[key] = imresize(
                piece,
                tuple(self.scale[::-1]),
                interpolation=self.interpolation
                if key == 'img' else 'nearest',
                backend=self.backend)
        results['img_shape'] = results['img'].shape[:2]
        return results
