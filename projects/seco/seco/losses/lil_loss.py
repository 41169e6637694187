# Copyright (c) mmktse authors. All rights reserved.
from typing import Tuple

import torch
from torch import Tensor, nn

from mmktse.registry import MODELS


@MODELS.register_module()
class LILLoss(nn.Module):
    """Tag-guided contrast of local views with the keys (SeCo, L_LIL).

    A query is drawn to the keys of its own tag, background included, and
    pushed away from the rest. Queries and keys tagged -1 show several classes
    or none for sure and take no part.

    The published code computes something else than the usual contrastive
    loss, with ``faithful`` to the last detail: the denominator counts for
    every key of the bank instead of for every positive; it misses the key
    most similar to the query; rows whose sum is not negative are dropped;
    all rows are divided by the positives of the whole batch; and the tag of
    a query whose logits of positives lie ten times as often below their mean
    as above is reset to background. Otherwise the loss is the supervised
    contrastive loss (Khosla et al., NeurIPS 2020), a mean over the queries
    that have a positive key, and no tag is reset.

    Args:
        temperature (float): Divides the similarities. Defaults to 0.08.
        noise_ratio (float): From how many logits below for one above a tag
            is reset; with ``faithful``. Defaults to 10.
        faithful (bool): Whether to follow the published code.
            Defaults to True.

    Shape:
        - queries: (N, D), of unit length. They alone get a gradient.
        - bank: (M, D), keys of unit length.
        - tags, bank_tags: (N,), (M,) long: -1, 0 or a class from 1.
        - output: scalar, at least 0, with a gradient of zeros where no query
          counts; and the revised tags (N,), a new tensor.

    Note:
        The best key drops out of the denominator since its logit is exactly
        0. The bank holds current keys twice: they must come out of the same
        matrix product for both copies to do so, hence one ``bank``.
    """

    def __init__(self,
                 temperature: float = 0.08,
                 noise_ratio: float = 10.,
                 faithful: bool = True) -> None:
        super().__init__()
        self.temperature = temperature
        self.noise_ratio = noise_ratio
        self.faithful = faithful

    def forward(self, queries: Tensor, bank: Tensor, tags: Tensor,
                bank_tags: Tensor) -> Tuple[Tensor, Tensor]:
        # What counts is decided by exact equality: no half precision.
        with torch.autocast(queries.device.type, enabled=False):
            logits = queries.float() @ bank.float().t() / self.temperature
        logits = logits - logits.detach().amax(1, keepdim=True)
        positive = (tags[:, None] == bank_tags) & (tags[:, None] != -1)
        if self.faithful:
            return self._published(logits, positive, tags, bank_tags)
        return self._supervised(logits, positive, bank_tags), tags

    def _published(self, logits: Tensor, positive: Tensor, tags: Tensor,
                   bank_tags: Tensor) -> Tuple[Tensor, Tensor]:
        """Loss and revised tags of logits (N, M) whose row maxima are 0."""
        count, num_keys = logits.shape
        none = logits.new_zeros(())
        noisy = self._noisy(torch.where(positive, logits.detach(), none))
        attracted = torch.where(positive & ~noisy[:, None], logits, none)
        num_positive = attracted.count_nonzero()

        known = (tags[:, None] != -1) & (bank_tags != -1)
        similarity = logits.exp()
        total = torch.where(known & (similarity != 1), similarity, none).sum(1)
        rows = attracted.sum(1) - num_keys * (total + 1e-12).log()
        counts = (num_positive > 0) & (total > 0) & (rows < 0)
        loss = -torch.where(counts, rows, none).sum()
        loss = loss / num_positive.clamp_min(1) / count
        return loss, tags.masked_fill(noisy, 0)

    def _noisy(self, attracted: Tensor) -> Tensor:
        """Queries (N,) most of whose keys (N, M) lie below their mean."""
        below = (attracted < attracted.mean(1, keepdim=True)).sum(1)
        above = attracted.shape[1] - below
        return below / (above + 1e-6) > self.noise_ratio

    @staticmethod
    def _supervised(logits: Tensor, positive: Tensor,
                    bank_tags: Tensor) -> Tensor:
        """Supervised contrastive loss of logits (N, M)."""
        # A finite number: the gradient of a bank without tags stays finite.
        known = logits.masked_fill(bank_tags == -1, -1e4)
        log_prob = known - known.logsumexp(1, keepdim=True)
        number = positive.sum(1)
        rows = torch.where(positive, log_prob, log_prob.new_zeros(()))
        rows = rows.sum(1) / number.clamp_min(1)
        return -rows.sum() / (number > 0).sum().clamp_min(1)
