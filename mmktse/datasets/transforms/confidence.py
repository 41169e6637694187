# Copyright (c) mmktse authors. All rights reserved.
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs

from mmktse.registry import TRANSFORMS
from mmktse.seeds import load_label_map


@TRANSFORMS.register_module()
class LoadConfidence(BaseTransform):
    """Loads where a pseudo label is to be trusted.

    Put it behind mmseg's ``LoadAnnotations``: the transforms that follow
    treat the mask as they treat the label map.

    Required keys: ``confidence_path`` (of a
    :class:`~mmktse.datasets.PseudoLabelSegDataset` with ``confidence=True``),
    ``gt_seg_map``, ``seg_fields``. Added key: ``gt_confidence`` (H, W) uint8,
    1 where the label is to be trusted.
    """

    def transform(self, results: dict) -> dict:
        """Loads the mask and registers it among ``seg_fields``."""
        mask = load_label_map(results['confidence_path'],
                              results['gt_seg_map'].shape)
        results['gt_confidence'] = (mask > 0).astype('uint8')
        results['seg_fields'].append('gt_confidence')
        return results


@TRANSFORMS.register_module()
class PackConfidentSegInputs(PackSegInputs):
    """mmseg's ``PackSegInputs`` that packs ``gt_confidence`` as well."""

    def transform(self, results: dict) -> dict:
        """Packs; the data sample gets ``gt_confidence`` (1, H, W) uint8."""
        packed = super().transform(results)
        mask = torch.from_numpy(results['gt_confidence'].copy())
        packed['data_samples'].set_data(
            dict(gt_confidence=PixelData(data=mask[None])))
        return packed
