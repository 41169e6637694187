# Copyright (c) mmktse authors. All rights reserved.
from itertools import groupby
from typing import Sequence, Tuple

import torch
from torch import Tensor, nn

from .cam import label_norm, resize
from .par import PAR

# Of ImageNet, for RGB in [0, 1]; the published truncation depends on how
# float32 rounds with just these numbers.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


def _truncated_levels() -> Tensor:
    """What becomes of each 8-bit level of R, G and B, (3, 256)."""
    mean, std = (
        torch.tensor(values, dtype=torch.float64)[:, None]
        for values in (_MEAN, _STD))
    levels = torch.arange(256).double() / 255
    normalised = ((levels - mean) / std).float()
    return ((normalised * std.float() + mean.float()) * 255).trunc()


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
        truncate_image (bool): Show PAR the image of the published code,
            which turns the normalised float32 image into 8 bit by truncation:
            11 % of the red, 36 % of the green and 78 % of the blue levels
            are one too low, which moves about 0.2 % of the labels. Defaults
            to False.
        keep_empty (bool): Label classes whose map is nowhere positive, as the
            published code does; their flipped signs flood the image. Defaults
            to False: such a class gets no pixel.
        par (dict): Arguments of :class:`PAR`.
    """

    def __init__(self,
                 thresholds: Tuple[float, float] = (0.30, 0.15),
                 scale: float = 0.5,
                 truncate_image: bool = False,
                 keep_empty: bool = False,
                 par: dict = dict()) -> None:
        super().__init__()
        self.thresholds = thresholds
        self.scale = scale
        self.truncate_image = truncate_image
        self.keep_empty = keep_empty
        self.par = PAR(**par)
        self.register_buffer(
            'truncated', _truncated_levels(), persistent=False)

    def normalise(self, scores: Tensor) -> Tensor:
        """What of raw scores (N, C, h, w) competes with the background."""
        return label_norm(scores.float())

    def truncate(self, images: Tensor) -> Tensor:
        """RGB images (N, 3, H, W) in [0, 1] after the published truncation."""
        levels = images * 255
        nearest = levels.round()
        # Padding is no 8-bit level: it lies between two of them.
        between = (levels - nearest).abs() > 0.01
        places = nearest.long().clamp_(0, 255)
        table = torch.stack([
            channel[place]
            for channel, place in zip(self.truncated, places.unbind(1))
        ], 1)
        return torch.where(between, levels.floor(), table) / 255

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
        if self.truncate_image:
            images = self.truncate(images)
        # Images with equally many classes share a batch, and only present
        # classes are refined. Sorting brings them together with one transfer
        # to the device, which does not wait for it.
        rows = sorted(range(len(images)), key=num_present.__getitem__)
        index = torch.tensor(
            rows, pin_memory=images.is_cuda).to(
                images.device, non_blocking=True)
        maps = self.normalise(scores)[index]
        alive = torch.ones_like(maps[:, :, 0, 0], dtype=torch.bool)
        if not self.keep_empty:
            alive = scores[index].amax((2, 3)) > 0
        # Present classes first.
        order = targets[index].argsort(dim=1, descending=True, stable=True)
        affinity = self.par.affinity(resize(images, low_size)[index])
        groups, start = [], 0
        for count, group in groupby(num_present[row] for row in rows):
            part = slice(start, start + len(list(group)))
            start = part.stop
            groups.append(
                self._label(maps[part], alive[part], order[part, :count],
                            affinity[part], size))
        labels = torch.empty((len(images), *size),
                             dtype=torch.long,
                             device=images.device)
        return labels.index_copy_(0, index, torch.cat(groups))

    def _label(self, maps: Tensor, alive: Tensor, classes: Tensor,
               affinity: Tensor, size: Tuple[int, int]) -> Tensor:
        """Labels images with equally many classes (n, K)."""
        low_size, count = affinity.shape[2:], classes.shape[1]
        if not count:
            return classes.new_zeros((len(maps), *size))
        places = classes[:, :, None, None].expand(-1, -1, *maps.shape[2:])
        present = maps.gather(1, places)
        present = resize(resize(present, size), low_size)
        present = present.masked_fill(
            ~alive.gather(1, classes)[:, :, None, None], -float('inf'))
        stacks = []
        for threshold in self.thresholds:
            background = torch.full_like(present[:, :1], threshold)
            stack = torch.cat((background, present), 1).softmax(1)
            # PAR is linear and the channels of a stack sum to one, so the
            # background follows from the others.
            stacks.append(stack[:, 1:])
        refined = self.par.propagate(torch.cat(stacks, 1), affinity)
        ids = torch.cat((torch.zeros_like(classes[:, :1]), classes + 1), 1)
        hard = []
        for stack in resize(refined, size).split(count, dim=1):
            background = self.par.gain - stack.sum(1, keepdim=True)
            # Many times faster on a CPU than argmax.
            top = torch.cat((background, stack), 1).max(1).indices
            hard.append(ids.gather(1, top.flatten(1)).view_as(top))
        high, low = hard
        return torch.where((high == 0) & (low > 0), 255, high)
