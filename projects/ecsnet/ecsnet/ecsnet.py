# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import ExponentialMovingAverage
from mmpretrain.structures import DataSample
from torch import Tensor

from mmktse.models import CAMClassifier
from mmktse.models.utils import erasing_norm, masked_mean, resize
from mmktse.registry import MODELS


@MODELS.register_module()
class ECSNet(CAMClassifier):
    """ECS-Net-style training: erased CAMs supervise the segmentation.

    After the abstract of *ECS-Net: Improving Weakly Supervised Semantic
    Segmentation by Using Connections Between Class Activation Maps* (ICCV
    2021). What the abstract leaves open is an option here; the README lists
    them. A step:

    1. The CAM of the image, normalised, gives a score map.
    2. The eraser takes from the image what the score map shows.
    3. The same network sees the erased image, with gradient for the
       classification loss on it alone.
    4. The selector makes pixel labels of both passes, without gradient.
    5. They supervise the segmentation of the image that was not erased.

    Until :class:`LabelSourceHook` sets ``label_source`` to 'cam' or 'seg',
    steps 4 and 5 are left out. The batch norms are in eval mode in both
    passes, as :class:`~mmktse.models.CAMClassifier` keeps them. Dropout, which
    :class:`~mmktse.models.ResNet38d` has, is on in both, and so in what labels
    are made of; a teacher has none.

    Args:
        eraser (dict): :class:`ImageEraser`.
        selector (dict): :class:`LabelSelector`, or another rule with the
            same ``forward``.
        seg_loss (dict): Loss of logits (N, C + 1, h, w) and labels
            (N, h, w), weighted: :class:`~mmktse.models.BalancedSegLoss`, or
            one of MMSegmentation.
        erased_weight (float): Weight of the classification loss of the
            erased image; at 0 that pass has no gradient. Defaults to 1.
        min_visible (float): Share of a class's area, its CAM above
            ``area_threshold``, that has to be left by the eraser for the
            class to count in that loss; padding is no area. Defaults to 0.05.
        area_threshold (float): See ``min_visible``. Defaults to 0.2.
        num_erasures (int): Erased passes, each of what all before it have
            shown, at least 1; labels are made of the last, but background
            only where no pass shows a class. Defaults to 1.
        teacher_momentum (float, optional): Lets a moving average of the
            network make score maps and labels; the share of the weights that
            it takes over in a step. Defaults to None, the network itself.
        test_cfg (dict): Beside what :class:`~mmktse.models.CAMClassifier`
            takes, ``seed``: 'cam', or 'seg' for the probabilities of the
            segmentation branch. Defaults to 'cam'.
        **kwargs: See :class:`~mmktse.models.CAMClassifier`. The head is
            :class:`ECSHead` or :class:`SegFromCAMHead`.

    Raises:
        ValueError: If ``test_cfg.seed`` is nothing the head has, or
            ``num_erasures`` below 1.
    """

    def __init__(self,
                 *args,
                 eraser: dict = dict(type='ImageEraser'),
                 selector: dict = dict(type='LabelSelector'),
                 seg_loss: dict = dict(type='BalancedSegLoss'),
                 erased_weight: float = 1.0,
                 min_visible: float = 0.05,
                 area_threshold: float = 0.2,
                 num_erasures: int = 1,
                 teacher_momentum: Optional[float] = None,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if num_erasures < 1:
            raise ValueError(f'num_erasures is {num_erasures}; labels need at '
                             'least one erased pass.')
        self.eraser = MODELS.build(eraser)
        self.selector = MODELS.build(selector)
        self.seg_loss = MODELS.build(seg_loss)
        self.erased_weight = erased_weight
        self.min_visible = min_visible
        self.area_threshold = area_threshold
        self.num_erasures = num_erasures
        self.label_source: Optional[str] = None
        self.seed = self.test_cfg.get('seed', 'cam')
        if self.seed not in self.head.SEEDS:
            raise ValueError(
                f'test_cfg.seed is "{self.seed}"; {type(self.head).__name__} '
                f'gives {" and ".join(self.head.SEEDS)}.')
        # Last, as it is a copy of all above.
        self.teacher = None
        if teacher_momentum is not None:
            self.teacher = ExponentialMovingAverage(self, teacher_momentum)

    def train(self, mode: bool = True) -> 'ECSNet':
        """Sets the mode; the teacher stays in eval mode."""
        super().train(mode)
        if self.teacher is not None:
            self.teacher.eval()
        return self

    def loss(self, inputs: Tensor,
             data_samples: List[DataSample]) -> Dict[str, Tensor]:
        """Weighted losses and the statistics of maps and labels.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            data_samples (list[DataSample]): Their image-level labels. What
                lies outside ``img_box``, (top, bottom, left, right) in
                pixels, or else beyond ``img_shape``, is padding.

        Returns:
            dict[str, Tensor]: ``loss_cls``, with an ``erased_weight``
            ``loss_erased``, and with a label source ``loss_seg``; further
            keys are only logged.
        """
        labelled = self.label_source is not None
        maps = self.score_maps(inputs, seg=labelled)
        scores = self.head.scores(maps)
        targets = self.targets(data_samples, scores)
        losses = dict(
            loss_cls=self.head.loss(scores, targets),
            **self.cam_stats(scores, targets))
        if not labelled:
            # DistributedDataParallel waits for a gradient of every parameter,
            # those of the branch, which was not run, as well.
            losses['loss_cls'] = losses['loss_cls'] + 0. * sum(
                param.sum() for param in self.head.parameters())
            if not self.erased_weight:
                return losses
        present = targets[:, :, None, None]
        if self.teacher is not None:
            self.teacher.update_parameters(self)
            scores = self.head.scores(self._teach(inputs, seg=False))
        seed = erasing_norm(scores.detach())
        teach = self.teacher is not None or not self.erased_weight
        # Of an erased image the branch makes labels, nothing else.
        seg = self.label_source == 'seg'
        padding = ~self._inside(inputs, data_samples, seed)[:, None]
        known, again = seed, torch.zeros_like(seed)
        erased_losses = []
        for number in range(self.num_erasures):
            known = torch.maximum(known, again)
            score_map = (known * present).amax(1, keepdim=True)
            erased = self.eraser.mask(score_map)
            images = self.eraser(inputs, score_map)
            if self.erased_weight:
                maps_again = self.score_maps(images, seg=seg and not teach)
                erased_losses.append(
                    self._erased_loss(
                        self.head.scores(maps_again), known * present, erased,
                        padding, targets))
                maps_again = maps_again.detach()
            if not labelled and number == self.num_erasures - 1:
                # What the last pass shows is for the labels.
                break
            if teach:
                maps_again = self._teach(images, seg)
            again, background = self._shown(maps_again, targets)
        if self.erased_weight:
            losses['loss_erased'] = sum(erased_losses) / self.num_erasures
        if labelled:
            presence = self.head.logits(self.head.scores(maps_again)).sigmoid()
            labels, stats = self.selector(seed, again, targets, presence,
                                          erased | padding, background, known)
            labels = labels.masked_fill(padding[:, 0], 255)
            losses['loss_seg'] = self.seg_loss(
                self.head.seg_logits(maps, targets), labels, ignore_index=255)
            losses.update(**self.label_stats(labels), **stats)
        return losses

    @torch.no_grad()
    def _teach(self, images: Tensor, seg: bool) -> Tensor:
        """Head output without gradient, of the teacher if there is one."""
        network = self if self.teacher is None else self.teacher.module
        return network.score_maps(images, seg=seg)

    def _shown(self, maps: Tensor, targets: Tensor) -> Tuple[Tensor, Tensor]:
        """What an erased image shows, (N, C, h, w) in [0, 1].

        Its normalised CAM, or the probabilities of the segmentation among
        background and present classes, 0 where background is the best. A
        probability of background is seldom as near to 1 as a normalised CAM
        is to 0: by its threshold alone the selector would find none. And the
        probability (N, 1, h, w) of background, 0 beside a CAM.
        """
        if self.label_source != 'seg':
            cams = erasing_norm(self.head.scores(maps))
            return cams, torch.zeros_like(cams[:, :1])
        absent = F.pad(targets == 0, (1, 0))[:, :, None, None]
        logits = self.head.seg_logits(maps, targets)
        shares = logits.masked_fill(absent, -float('inf')).softmax(1)
        background = shares[:, :1]
        best = background == shares.amax(1, keepdim=True)
        return shares[:, 1:].masked_fill(best, 0), background

    def _erased_loss(self, scores: Tensor, seed: Tensor, erased: Tensor,
                     padding: Tensor, targets: Tensor) -> Tensor:
        """Classification loss of erased images, weighted.

        To demand a class of which next to nothing is left would train the
        network to see what is not there.
        """
        area = (seed > self.area_threshold) & ~padding
        visible = (area & ~erased).sum((2, 3))
        kept = visible >= self.min_visible * area.sum((2, 3))
        error = F.binary_cross_entropy_with_logits(
            self.head.logits(scores), targets, reduction='none')
        return self.erased_weight * masked_mean(error, kept)

    @staticmethod
    def _inside(inputs: Tensor, data_samples: List[DataSample],
                maps: Tensor) -> Tensor:
        """Cells of maps (N, C, h, w) whose centre is no padding, (N, h, w)."""
        size = inputs.shape[2:]
        boxes = []
        for sample in data_samples:
            height, width = sample.get('img_shape', size)[:2]
            boxes.append(sample.get('img_box', (0, height, 0, width)))
        top, bottom, left, right = torch.tensor(boxes).T[:, :, None]
        rows, columns = ((torch.arange(cells) + .5) * (pixels / cells)
                         for cells, pixels in zip(maps.shape[2:], size))
        rows = (rows >= top) & (rows < bottom)
        columns = (columns >= left) & (columns < right)
        return (rows[:, :, None] & columns[:, None]).to(maps.device)

    def scores_and_logits(self, inputs: Tensor) -> Tuple[Tensor, Tensor]:
        """Raw class scores (N, C, h, w) and image logits (N, C).

        With the seed 'seg' the scores are the segmentation logits relative
        to that of the background.
        """
        seg = self.seed == 'seg'
        maps = self.score_maps(inputs, seg=seg)
        scores = self.head.scores(maps)
        logits = self.head.logits(scores)
        if seg:
            maps = self.head.seg_logits(maps)
            scores = maps[:, 1:] - maps[:, :1]
        return scores, logits

    def merge(self, views: List[Tensor], size: Tuple[int, int]) -> Tensor:
        """Seeds of one image from the scores of all its views.

        With the seed 'seg', the mean of the probabilities among background
        and present classes.

        Args:
            views (list[Tensor]): See
                :meth:`mmktse.models.CAMClassifier.merge`.
            size (tuple[int, int]): (H, W) of the original image.

        Returns:
            Tensor: (K, H, W) in [0, 1].
        """
        if self.seed == 'cam' or not views[0].shape[1]:
            return super().merge(views, size)
        # The background's own relative logit is 0.
        maps = [F.pad(view, (0, 0, 0, 0, 1, 0)).softmax(1) for view in views]
        return torch.cat([resize(x[:, 1:], size) for x in maps]).mean(0)
