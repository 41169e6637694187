# Copyright (c) mmktse authors. All rights reserved.
"""What SeCo remembers of past steps: keys of views, prototypes of classes.

All of it is in buffers, hence in checkpoints, and grows from what all ranks
gather, hence is the same on every rank.
"""
from typing import Tuple

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather
from torch import Tensor, nn


def gather(values: Tensor) -> Tensor:
    """Rows (W * N, ...) of all W ranks, in order, of (N, ...) on each."""
    return torch.cat(all_gather(values.contiguous()))


class KeyQueue(nn.Module):
    """The last keys of all ranks with their tags.

    Args:
        size (int): Number of keys K. Defaults to 4608.
        channels (int): Width D of a key. Defaults to 768.
        faithful (bool): As published the queue starts with random keys that
            are normalised over the wrong axis (length 0.4 rather than 1) and
            count as background until they are overwritten, and current keys
            are in the bank twice. Otherwise they have unit length, take no
            part (tag -1), and the queue alone is the bank.
            Defaults to True.
    """

    def __init__(self,
                 size: int = 4608,
                 channels: int = 768,
                 faithful: bool = True) -> None:
        super().__init__()
        self.faithful = faithful
        axis, tag = (0, 0) if faithful else (1, -1)
        keys = F.normalize(torch.randn(size, channels), dim=axis)
        self.register_buffer('keys', keys)
        self.register_buffer('tags', torch.full((size, ), tag))
        self.register_buffer('pointer', torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def forward(self, keys: Tensor, tags: Tensor) -> Tuple[Tensor, Tensor]:
        """Writes keys over the oldest ones.

        Args:
            keys (Tensor): (N, D), on every rank as many.
            tags (Tensor): (N,) long: -1, 0 or a class from 1.

        Returns:
            tuple[Tensor, Tensor]: The bank (M, D) that this rank's queries
            are compared with, and its tags (M,). M is N + K if ``faithful``,
            else K.

        Raises:
            ValueError: If the keys of one step do not fit in.
        """
        all_keys = gather(keys.to(self.keys))
        if len(all_keys) > len(self.keys):
            raise ValueError(
                f'A step brings {len(all_keys)} keys, more than the queue of '
                f'{len(self.keys)} holds: raise queue.size, or make the batch '
                'or decomposition.num_crops smaller.')
        rows = torch.arange(len(all_keys), device=keys.device)
        rows = (self.pointer + rows) % len(self.keys)
        self.keys[rows] = all_keys
        self.tags[rows] = gather(tags)
        self.pointer.add_(len(all_keys)).remainder_(len(self.keys))
        if not self.faithful:
            return self.keys.clone(), self.tags.clone()
        return torch.cat((keys, self.keys)), torch.cat((tags, self.tags))


class Prototypes(nn.Module):
    """A moving average of the images of each class.

    Args:
        num_classes (int): Number of classes C without background.
        channels (int): Width D of the class tokens. Defaults to 768.
        momentum (float): What is kept of a prototype for every image.
            Defaults to 0.9.
        faithful (bool): As published they start as random vectors that are
            not normalised, and class tokens are averaged as they are: at a
            length of about 28 a single image outweighs the past. Otherwise
            both have unit length. Defaults to True.
    """

    def __init__(self,
                 num_classes: int,
                 channels: int = 768,
                 momentum: float = 0.9,
                 faithful: bool = True) -> None:
        super().__init__()
        self.momentum = momentum
        self.faithful = faithful
        vectors = torch.randn(num_classes, channels)
        if not faithful:
            vectors = F.normalize(vectors)
        self.register_buffer('vectors', vectors)

    @torch.no_grad()
    def update(self, tokens: Tensor, labels: Tensor) -> None:
        """Averages the images of all ranks in, one after another.

        Args:
            tokens (Tensor): Class tokens (N, D), on every rank as many.
            labels (Tensor): (N,) long, the class from 1 of an image with a
                single one, else -1: such images are left out.
        """
        tokens, labels = gather(tokens.to(self.vectors)), gather(labels)
        if not self.faithful:
            tokens = F.normalize(tokens)
        classes = torch.arange(1, len(self.vectors) + 1, device=labels.device)
        member = (labels == classes[:, None]).to(tokens)
        # An image fades with each later one of its class.
        number = member.cumsum(1)
        count = number[:, -1:]
        share = member * self.momentum**(count - number)
        vectors = self.momentum**count * self.vectors
        vectors = vectors + (1 - self.momentum) * share @ tokens
        self.vectors.copy_(F.normalize(vectors))
