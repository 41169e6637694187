# Copyright (c) mmktse authors. All rights reserved.
import torch
from mmengine.dist import all_reduce
from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor, eps: float = 0.) -> Tensor:
    """Mean over the marked elements of the batches of all ranks.

    The count is averaged over the ranks, so that the mean that distributed
    training takes over the ranks' losses equals the mean over the joint
    batch, however unequally the ranks are filled.

    Args:
        values (Tensor): Any shape.
        mask (Tensor): Same shape, boolean.
        eps (float): Added to the total count. Defaults to 0.

    Returns:
        Tensor: Scalar; 0 with finite gradients if nothing is marked.
    """
    # where, not a product: an infinite value outside the mask stays outside.
    total = torch.where(mask, values, values.new_zeros(())).sum()
    count = mask.sum().to(values)
    sizes = torch.stack((count, torch.ones_like(count)))
    all_reduce(sizes)
    count, world_size = sizes.unbind()
    floor = eps if eps else 1.
    return total / ((count + eps).clamp_min(floor) / world_size)
