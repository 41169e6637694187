# Copyright (c) mmktse authors. All rights reserved.
from typing import Sequence, Tuple

import torch
from torch import Tensor, nn

from ..refiners.par import PAR
from .cam import label_norm, resize


class OnlineLabeler(nn.Module):
    """Pseudo labels made from raw scores within a training step.

    The normalised maps compete in a softmax with a constant background, once
    at a high and once at a low threshold; PAR refines both. Foreground at the
    high threshold is foreground, background at both is background, and the
    band between them is ignored (KTSE, SSR).

    Args:
        thresholds (tuple[float, float]): High and low background score.
        scale (float): Size of the map that PAR works on, relative to the
            image. Defaults to 0.5.
        keep_empty (bool): Label classes whose map is nowhere positive, as the
            published code does; their flipped signs flood the image. Defaults
            to False: such a class gets no pixel.
        par (dict): Arguments of :class:`PAR`.
    """

    def __init__(self,
                 thresholds: Tuple[float, float] = (0.30, 0.15),
                 scale: float = 0.5,
                 keep_empty: bool = False,
                 par: dict = dict()) -> None:
        super().__init__()
        self.thresholds = thresholds
        self.scale = scale
        self.keep_empty = keep_empty
        self.par = PAR(**par)

    @torch.no_grad()
    def forward(self, images: Tensor, scores: Tensor, targets: Tensor,
                num_present: Sequence[int]) -> Tensor:
        """Labels a batch.

        Args:
            images (Tensor): RGB images (N, 3, H, W) in [0, 1].
            scores (Tensor): Raw class scores (N, C, h, w).
            targets (Tensor): Image-level labels (N, C), 0 or 1.
            num_present (Sequence[int]): Number of present classes of every
                image; kept on the host so that grouping needs no sync.

        Returns:
            Tensor: Label maps (N, H, W), long: 0 background, c + 1 class c,
            255 ignored.
        """
        size = images.shape[2:]
        low_size = tuple(int(s * self.scale) for s in size)
        maps = label_norm(scores.float())
        alive = torch.ones_like(targets, dtype=torch.bool)
        if not self.keep_empty:
            alive = scores.amax((2, 3)) > 0
        # Present classes first.
        order = targets.argsort(dim=1, descending=True, stable=True)
        affinity = self.par.affinity(resize(images, low_size))
        labels = images.new_zeros((len(images), *size), dtype=torch.long)
        # Images with equally many classes share a batch, and only present
        # classes are refined.
        for count in sorted(set(num_present) - {0}):
            rows = [i for i, n in enumerate(num_present) if n == count]
            rows = torch.tensor(rows, device=images.device)
            classes = order[rows, :count]
            present = maps[rows[:, None], classes]
            present = resize(resize(present, size), low_size)
            present = present.masked_fill(
                ~alive[rows[:, None], classes][:, :, None, None],
                -float('inf'))
            stacks = []
            for threshold in self.thresholds:
                background = present.new_full((len(rows), 1, *low_size),
                                              threshold)
                stack = torch.cat((background, present), 1).softmax(1)
                # PAR is linear and the channels of a stack sum to one, so
                # the background follows from the others.
                stacks.append(stack[:, 1:])
            refined = self.par.propagate(torch.cat(stacks, 1), affinity[rows])
            ids = torch.cat((torch.zeros_like(classes[:, :1]), classes + 1), 1)
            hard = []
            for stack in resize(refined, size).split(count, dim=1):
                background = self.par.gain - stack.sum(1, keepdim=True)
                top = torch.cat((background, stack), 1).argmax(1)
                hard.append(ids.gather(1, top.flatten(1)).view_as(top))
            high, low = hard
            labels[rows] = torch.where((high == 0) & (low > 0),
                                       high.new_tensor(255), high)
        return labels
