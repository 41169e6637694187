# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Sequence, Set, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmktse.models import CAMHead
from mmktse.models.utils import masked_mean
from mmktse.registry import MODELS


@MODELS.register_module()
class ESOLHead(CAMHead):
    """Expansion and shrinkage on top of a backbone (ESOL, NeurIPS 2022).

    Three trainings follow each other, each from the weights of the one
    before; the names of the parameters stay.

    - ``warm``: kernel W1 of the expansion and the classifier are trained as a
      plain convolution. With a kernel that was not trained, and features
      that are not negative, it is the plain CAM head.
    - ``expand``: ``classifier(clip(DCN(F, offsets)))``; the offsets climb the
      classification loss, L_E = -lambda_E L_cls. The loss returned is L_cls:
      the gradient is multiplied by -lambda_E where it enters the offsets.
    - ``shrink``: the expanded features are fixed and clipped; a second
      sampler with offsets of its own descends L_cls, with the same
      classifier.

    A stage may begin with epochs that hold its own offsets at zero
    (:class:`HoldOffsetsHook`), in which ``expand`` gets the classifier used
    to clipped features and ``shrink`` trains its kernel W2. What is not
    trained has ``requires_grad=False`` and stays equal to the bit.

    Args:
        num_classes (int): Number of classes C without background.
        in_channels (int): Channels of the last feature map.
        stage (str): 'warm', 'expand' or 'shrink'. Defaults to 'warm'.
        mid_channels (int, optional): Channels C' behind the samplers.
            Defaults to ``in_channels``.
        sampler (dict): Arguments of both :class:`DeformSampler`; ``type`` is
            one that derives from it.
        clip (dict): Arguments of :class:`FeatureClip`, or of the module whose
            ``type`` it has.
        lambda_e (float): Strength of the ascent, more than 0. Defaults to
            0.01.
        train_kernel (bool): Train W1 ('warm') and W2 ('shrink'). Defaults to
            True; False leaves them the identity.
        co_trained (Sequence[str]): 'classifier', 'kernel' or both descend
            L_cls while the offsets climb it. Defaults to none.
        present_only (bool): Climb the loss of the present classes alone.
            What is co-trained descends that of all classes, at the price of
            a second sampling. Defaults to False: of all classes.
        **kwargs: loss_weight and init_cfg of :class:`CAMHead`.

    Raises:
        ValueError: If stage or co_trained is another word, or lambda_e is
            not positive.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 stage: str = 'warm',
                 mid_channels: Optional[int] = None,
                 sampler: dict = dict(),
                 clip: dict = dict(),
                 lambda_e: float = 0.01,
                 train_kernel: bool = True,
                 co_trained: Sequence[str] = (),
                 present_only: bool = False,
                 **kwargs) -> None:
        if stage not in ('warm', 'expand', 'shrink'):
            raise ValueError(f'stage of ESOLHead is "{stage}", not warm, '
                             'expand or shrink.')
        if lambda_e <= 0:
            raise ValueError(f'lambda_e of ESOLHead is {lambda_e}: it must be '
                             'positive, the sign of the ascent is its own.')
        if not {'classifier', 'kernel'} >= set(co_trained):
            raise ValueError(f'co_trained of ESOLHead is {co_trained}: only '
                             'classifier and kernel can be.')
        self.stage = stage
        self.mid_channels = mid_channels or in_channels
        self.sampler_cfg = sampler
        self.clip_cfg = clip
        self.lambda_e = lambda_e
        self.train_kernel = train_kernel
        self.co_trained = set(co_trained)
        self.present_only = present_only
        super().__init__(num_classes, in_channels, **kwargs)
        self.held = False
        # Of both phases: distributed training counts parameters only once.
        self._set_trained(self.trained(True) | self.trained(False))

    def _init_layers(self, in_channels: int) -> None:
        mid = self.mid_channels
        sampler = {'type': 'DeformSampler', **self.sampler_cfg}
        self.expand = MODELS.build(
            dict(
                sampler,
                in_channels=in_channels,
                out_channels=mid,
                gradient_scale=-self.lambda_e))
        self.clip = MODELS.build({'type': 'FeatureClip', **self.clip_cfg})
        if self.stage == 'shrink':
            self.shrink = MODELS.build(
                dict(sampler, in_channels=mid, out_channels=mid))
        self.classifier = nn.Conv2d(mid, self.num_classes, 1, bias=False)

    def trained(self, held: bool) -> Set[str]:
        """Parts of the head that are trained.

        Args:
            held (bool): In epochs whose offsets are held at zero, or in the
                others.

        Returns:
            set[str]: Of 'classifier', and 'kernel' and 'offset' of the
            stage's own sampler.
        """
        if self.stage == 'expand':
            return {'classifier' if held else 'offset', *self.co_trained}
        if self.stage == 'shrink' and not held:
            return {'classifier', 'offset'}
        return {'classifier', 'kernel'
                } if self.train_kernel else {'classifier'}

    def _set_trained(self, names: Set[str]) -> None:
        sampler = self.shrink if self.stage == 'shrink' else self.expand
        parts = dict(
            classifier=self.classifier,
            kernel=sampler.kernel,
            offset=sampler.offset)
        self.requires_grad_(False)
        for name in names:
            parts[name].requires_grad_(True)

    def hold(self, held: bool) -> None:
        """Begins epochs whose own offsets are held at zero, or the others."""
        self.held = held
        self._set_trained(self.trained(held))

    @property
    def climbs_present(self) -> bool:
        """Whether the offsets are climbing the loss of present classes."""
        return self.stage == 'expand' and self.present_only and not self.held

    def forward(self, feats: Tuple[Tensor, ...]) -> Tensor:
        """Score maps (N, C, h, w) of the last feature map.

        While the loss of present classes is climbed, training gets
        (N, 2C, h, w): the same maps twice. What is co-trained is reached by
        the gradient of the first alone, the offsets by that of the second.
        """
        maps = feats[-1]
        if self.stage == 'warm':
            return self.classifier(self.expand(maps, held=True))
        if self.stage == 'expand':
            if self.training and self.climbs_present:
                return self._expanded_twice(maps)
            return self._expanded(maps)
        with torch.no_grad():
            maps = self.clip(self.expand(maps))
        return self.classifier(self.shrink(maps, self.held))

    def _expanded(self, maps: Tensor) -> Tensor:
        return self.classifier(self.clip(self.expand(maps, self.held)))

    def _expanded_twice(self, maps: Tensor) -> Tensor:
        if not self.co_trained:
            scores = self._expanded(maps)
            return torch.cat((scores.detach(), scores), 1)
        both = []
        for names in (self.co_trained, {'offset'}):
            # Gradients reach only what is trained when the graph is built.
            self._set_trained(names)
            both.append(self._expanded(maps))
        self._set_trained(self.trained(held=False))
        return torch.cat(both, 1)

    def scores(self, maps: Tensor) -> Tensor:
        """Raw class scores (N, C, h, w), for the loss of all classes."""
        return maps[:, :self.num_classes]

    def ascent_loss(self, maps: Tensor, targets: Tensor) -> Tensor:
        """L_cls of the present classes, for offsets that climb it.

        Args:
            maps (Tensor): What :meth:`forward` has returned.
            targets (Tensor): Image-level labels (N, C), 0 or 1.

        Returns:
            Tensor: Scalar, weighted: the mean over the present classes.
        """
        losses = F.binary_cross_entropy_with_logits(
            self.logits(maps[:, -self.num_classes:]),
            targets,
            reduction='none')
        return self.loss_weight * masked_mean(losses, targets.bool())
