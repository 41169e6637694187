# Copyright (c) mmktse authors. All rights reserved.
import torch
from torch import Tensor, nn

from mmktse.registry import MODELS


@MODELS.register_module()
class LIGLoss(nn.Module):
    """Cross entropy of the views over the class prototypes (SeCo, L_LIG).

    A query is told which prototype is its own among those of the classes
    that are tags of this batch. Queries tagged as background or -1 take no
    part. As published, a logit of exactly 0 leaves the denominator, and its
    query counts nothing where it is the one of its own class.

    Args:
        temperature (float): Divides the similarities. Defaults to 0.1.

    Shape:
        - queries: (N, D), of unit length. They alone get a gradient.
        - prototypes: (C, D).
        - tags: (N,) long: -1, 0 or a class from 1 to C, as
          :class:`LILLoss` revised them.
        - output: scalar, the mean over the queries with a class; 0 with a
          gradient of zeros where there is none.
    """

    def __init__(self, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, queries: Tensor, prototypes: Tensor,
                tags: Tensor) -> Tensor:
        with torch.autocast(queries.device.type, enabled=False):
            logits = queries.float() @ prototypes.float().t()
        logits = logits / self.temperature
        present = tags.new_zeros(len(prototypes) + 1, dtype=torch.bool)
        present = present.index_fill(0, tags.clamp_min(0), True)[1:]
        kept = present & (logits.detach().exp() != 1)
        # A finite number: a row without any class has a finite gradient.
        others = logits.masked_fill(~kept, torch.finfo(logits.dtype).min)
        own = (tags - 1).clamp_min(0)[:, None]
        rows = logits.gather(1, own)[:, 0] - others.logsumexp(1)
        valid = tags > 0
        counts = valid & kept.gather(1, own)[:, 0]
        loss = -torch.where(counts, rows, rows.new_zeros(())).sum()
        return loss / valid.sum().clamp_min(1)
