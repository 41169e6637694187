# Copyright (c) mmktse authors. All rights reserved.
from collections import defaultdict
from typing import Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmpretrain.models import BaseClassifier
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmktse.registry import MODELS
from ..utils.cam import merge_pairs, merge_views

Inputs = Union[Tensor, Sequence[Sequence[Tensor]]]


@MODELS.register_module()
class CAMClassifier(BaseClassifier):
    """Image classifier whose last maps are class activation maps.

    What every CAM method shares: features, head, presence of the classes and
    multi-view inference. On its own it is the plain CAM baseline (Zhou et
    al., CVPR 2016).

    Args:
        backbone (dict): Backbone that returns a tuple of feature maps.
        head (dict): :class:`CAMHead` or a head with the same methods.
        data_preprocessor (dict): :class:`CAMDataPreprocessor`.
        norm_eval (bool): Keep the batch norms of the backbone in eval mode
            while training, as the methods here do. Defaults to True.
        frozen (Sequence[str]): Names of backbone modules that are not
            trained, for backbones without ``frozen_stages``.
        test_cfg (dict): ``flip`` adds the mirrored image to every view;
            ``presence_threshold`` is the probability from which a class
            counts as present in an image without labels; ``merge`` is
            'views' (KTSE) or 'pairs' (IRN, needs ``flip``): see
            :func:`~mmktse.models.utils.merge_views` and
            :func:`~mmktse.models.utils.merge_pairs`.
        init_cfg (dict, optional): Initialisation of the whole model.
    """

    def __init__(self,
                 backbone: dict,
                 head: dict,
                 data_preprocessor: Optional[dict] = None,
                 norm_eval: bool = True,
                 frozen: Sequence[str] = (),
                 test_cfg: dict = dict(flip=True, presence_threshold=0.5),
                 init_cfg: Optional[dict] = None) -> None:
        data_preprocessor = dict(data_preprocessor or {})
        data_preprocessor.setdefault('type', 'CAMDataPreprocessor')
        super().__init__(init_cfg, MODELS.build(data_preprocessor))
        # Convolutions follow the memory format of their weights: faster on a
        # CPU, and what half precision wants on a GPU.
        self.backbone = MODELS.build(backbone).to(
            memory_format=torch.channels_last)
        for name in frozen:
            self.backbone.get_submodule(name).requires_grad_(False)
        self.head = MODELS.build(head)
        self.norm_eval = norm_eval
        self.test_cfg = test_cfg

    def train(self, mode: bool = True) -> 'CAMClassifier':
        """Sets the mode; batch norms stay in eval mode if ``norm_eval``."""
        super().train(mode)
        if mode and self.norm_eval:
            for module in self.backbone.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def forward(self,
                inputs: Inputs,
                data_samples: Optional[List[DataSample]] = None,
                mode: str = 'tensor',
                **kwargs):
        """Runs the model.

        Args:
            inputs (Tensor | list[list[Tensor]]): Images (N, 3, H, W), or a
                list of views, each a list of N images (3, H, W).
            data_samples (list[DataSample], optional): Labels and meta
                information of the images.
            mode (str): ``tensor`` gives raw class scores (N, C, h, w),
                ``loss`` a dict of weighted losses, ``predict`` data samples.

        Raises:
            ValueError: If the mode is none of the three.
        """
        if mode == 'tensor':
            return self.head.scores(self.score_maps(inputs))
        if mode == 'loss':
            return self.loss(inputs, data_samples, **kwargs)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        raise ValueError(f'mode is "{mode}", not tensor, loss or predict')

    def extract_feat(self, inputs: Tensor) -> tuple:
        """Feature maps of images (N, 3, H, W)."""
        feats = self.backbone(inputs)
        # mmseg's MobileNetV2 gives a single map without a tuple.
        return (feats, ) if isinstance(feats, Tensor) else feats

    def score_maps(self, inputs: Tensor, **kwargs) -> Tensor:
        """Head output of images (N, 3, H, W); ``kwargs`` go to the head.

        The head runs in the precision of its weights, float32, under mixed
        precision as well: at a peak of 6, neighbouring bfloat16 numbers lie
        as far apart as the margins of the losses.
        """
        dtype = next(self.head.parameters()).dtype
        feats = tuple(feat.to(dtype) for feat in self.extract_feat(inputs))
        with torch.autocast(inputs.device.type, enabled=False):
            return self.head(feats, **kwargs)

    def scores_and_logits(self, inputs: Tensor) -> Tuple[Tensor, Tensor]:
        """Raw class scores (N, C, h, w) and image logits (N, C)."""
        scores = self.head.scores(self.score_maps(inputs))
        return scores, self.head.logits(scores)

    def targets(self, data_samples: List[DataSample], like: Tensor) -> Tensor:
        """Image-level labels (N, C), 0 or 1, on the device of ``like``.

        Raises:
            ValueError: If an image has none.
        """
        targets = like.new_zeros((len(data_samples), self.head.num_classes))
        for row, sample in zip(targets, data_samples):
            if 'gt_label' not in sample:
                raise ValueError(
                    f'Image {sample.get("img_path")} has no label, and only '
                    'labelled ones can be trained on: set require_labels=True '
                    'in the data set of the training.')
            row[sample.gt_label] = 1.
        return targets

    def loss(self, inputs: Tensor, data_samples: List[DataSample],
             **kwargs) -> Dict[str, Tensor]:
        """Classification loss and statistics of the maps."""
        scores = self.head.scores(self.score_maps(inputs))
        targets = self.targets(data_samples, scores)
        return dict(
            loss_cls=self.head.loss(scores, targets),
            **self.cam_stats(scores, targets))

    @staticmethod
    @torch.no_grad()
    def cam_stats(scores: Tensor, targets: Tensor) -> Dict[str, Tensor]:
        """What shows a collapse long before the mIoU does.

        Returns:
            dict[str, Tensor]: ``cam_peak``, the mean maximum of the present
            maps, and ``cam_empty``, the share of present maps that are
            nowhere positive.
        """
        peaks = scores.amax((2, 3))
        count = targets.sum().clamp_min(1)
        return dict(
            cam_peak=(peaks * targets).sum() / count,
            cam_empty=((peaks <= 0) * targets).sum() / count)

    @staticmethod
    def label_stats(labels: Tensor) -> Dict[str, Tensor]:
        """Shares of foreground and of ignored pixels in label maps.

        The foreground share against the true one shows over-expansion.

        Args:
            labels (Tensor): (N, H, W), 0 background, 255 ignored.

        Returns:
            dict[str, Tensor]: ``label_fg`` and ``label_ignore``.
        """
        ignored = labels == 255
        return dict(
            label_fg=((labels > 0) & ~ignored).float().mean(),
            label_ignore=ignored.float().mean())

    def predict(self, inputs: Inputs,
                data_samples: List[DataSample]) -> List[DataSample]:
        """CAM of the present classes at the size of the original image.

        An image and its mirror, and images of the same size, go through the
        network together; only present classes are brought to full size.
        Presence comes from the image-level label where the sample has one,
        else from the classifier; ``cam_source`` of the sample says which.

        Returns:
            list[DataSample]: With ``cam`` (K, H, W) in [0, 1),
            ``cam_classes`` (K,), ``pred_score`` (C,) and the meta key
            ``cam_source``, "label" or "prediction".
        """
        views = [inputs] if isinstance(inputs, Tensor) else inputs
        groups = defaultdict(list)
        for i, images in enumerate(zip(*views)):
            groups[tuple(image.shape for image in images)].append(i)
        for members in groups.values():
            self._predict_group([[view[i] for i in members] for view in views],
                                [data_samples[i] for i in members])
        return data_samples

    def _predict_group(self, views: List[List[Tensor]],
                       data_samples: List[DataSample]) -> None:
        """Predicts images whose views have the same sizes, in one batch."""
        count = len(data_samples)
        maps, probabilities = [], []
        for view in views:
            batch = torch.stack(view)
            if self.test_cfg.get('flip', True):
                batch = torch.cat((batch, batch.flip(-1)))
            scores, logits = self.scores_and_logits(batch)
            scores[count:] = scores[count:].flip(-1)
            # Of each image: its view, then its mirror if there is one.
            maps.append(scores.unflatten(0, (-1, count)).transpose(0, 1))
            probabilities.append(logits.sigmoid().unflatten(0, (-1, count)))
        probabilities = torch.cat(probabilities).mean(0)
        for i, sample in enumerate(data_samples):
            sample.set_pred_score(probabilities[i])
            if 'gt_label' in sample:
                classes, source = sample.gt_label, 'label'
            else:
                present = sample.pred_score > self.test_cfg.get(
                    'presence_threshold', 0.5)
                classes = present.nonzero(as_tuple=True)[0]
                source = 'prediction'
            sample.set_metainfo(dict(cam_source=source))
            sample.cam_classes = classes
            sample.cam = self.merge([scores[i][:, classes] for scores in maps],
                                    tuple(sample.ori_shape[:2]))

    def merge(self, views: List[Tensor], size: Tuple[int, int]) -> Tensor:
        """CAMs of one image from the scores of all its views.

        Args:
            views (list[Tensor]): For every scale the raw scores (V, K, h, w)
                of the K present classes; V is 2 with ``flip``, the mirror,
                which is turned back already, second.
            size (tuple[int, int]): (H, W) of the original image.

        Returns:
            Tensor: (K, H, W) in [0, 1).
        """
        merge = dict(views=merge_views, pairs=merge_pairs)
        return merge[self.test_cfg.get('merge', 'views')](views, size)
