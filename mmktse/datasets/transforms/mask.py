# Copyright (c) mmktse authors. All rights reserved.
from mmcv.transforms import BaseTransform

from mmktse.registry import TRANSFORMS
from mmktse.seeds import load_label_map


@TRANSFORMS.register_module()
class LoadMask(BaseTransform):
    """Takes the place of mmseg's ``LoadAnnotations``; names a bad mask.

    mmseg trains on masks with values beyond the classes, or fails without
    the name of the file, as on images one pixel high.

    Required keys: ``ori_shape``, ``seg_fields`` and ``num_classes`` (with
    background), which the data sets of this package give with
    ``seg_map_path``. Added key: ``gt_seg_map`` (H, W) uint8. An image without
    ``seg_map_path``, as from ``mmseg.apis.inference_model``, stays as it is.
    """

    def transform(self, results: dict) -> dict:
        """Loads the mask and registers it among ``seg_fields``.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no label map of the size of the image, or
                holds values beyond the classes.
        """
        if 'seg_map_path' not in results:
            return results
        results['gt_seg_map'] = load_label_map(results['seg_map_path'],
                                               results['ori_shape'],
                                               results['num_classes'] - 1)
        results['seg_fields'].append('gt_seg_map')
        return results
