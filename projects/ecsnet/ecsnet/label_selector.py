# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, Sequence, Tuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from mmktse.registry import MODELS


def small_regions(labels: Tensor, min_cells: int) -> Tensor:
    """Cells in connected regions of one label that are too small.

    Diagonal neighbours are connected. Works on the CPU.

    Args:
        labels (Tensor): Label maps (N, h, w), 255 ignored.
        min_cells (int): Size from which a region is large enough.

    Returns:
        Tensor: (N, h, w), boolean.
    """
    small = []
    for label_map in labels.cpu().numpy():
        found = np.zeros(label_map.shape, bool)
        for label in np.setdiff1d(label_map, 255):
            _, regions = cv2.connectedComponents(
                (label_map == label).astype(np.uint8))
            sizes = np.bincount(regions.ravel())
            found |= (regions > 0) & (sizes[regions] < min_cells)
        small.append(torch.from_numpy(found))
    return torch.stack(small).to(labels.device)


@MODELS.register_module()
class LabelSelector(nn.Module):
    """Reliable pixel labels from the CAM and from the pass on erased images.

    The abstract of ECS-Net names such a noise suppression without giving its
    rule. This one is a proposal. Its clauses, each of which can be left out:

    ==  =====================================================================
    R0  Classes that are absent from the image get no pixel.
    R1  A cell is the best class of the CAM where that lies above
        ``seed_threshold``.
    R2  A cell is the best class of the erased pass where that lies above
        ``erased_threshold`` and by ``margin`` above the second best,
        background included, the classifier still sees the class in the
        erased image (``presence_threshold``), and the cell was not erased:
        of erased cells that pass knows nothing.
    R3  A cell is background where both maps stay below ``bg_threshold``, and
        those of erased passes between them as well: of what these have shown
        and had erased the last one knows nothing. In an image with a present
        class whose CAM is 0 throughout there is none: that class must be
        somewhere.
    R4  A cell on whose class R1 and R2 differ is ignored. Without it R1
        wins.
    R5  All other cells are ignored. Without it they get the best class of
        all these maps, or background where that is not above
        ``argmax_threshold``.
    R6  R2 keeps the ``keep_share`` of the highest scores of each class and
        image, at least one. Scores equal to the lowest of them stay, too, so
        that it may be more.
    R7  Connected regions of fewer than ``min_cells`` cells are ignored.
    ==  =====================================================================

    With R1 to R5 left out every cell is labelled by argmax against
    ``argmax_threshold``: no noise suppression. Any registered module with
    this ``forward`` can take its place.

    Args:
        clauses (Sequence[str]): Clauses that hold. Defaults to R0 to R5.
        seed_threshold (float): Of R1. Defaults to 0.5.
        erased_threshold (float): Of R2. Defaults to 0.5.
        margin (float): Of R2. Defaults to 0.1.
        presence_threshold (float): Of R2, a probability. Defaults to 0.5.
        bg_threshold (float): Of R3. Defaults to 0.05, the one at which IRN
            trusts background.
        argmax_threshold (float): Without R5. Defaults to 0.26, the
            background score of SEAM.
        keep_share (float): Of R6, in (0, 1]. Defaults to 0.6.
        min_cells (int): Of R7. Defaults to 4.

    Raises:
        ValueError: If there is no such clause.
    """

    CLAUSES = tuple(f'R{number}' for number in range(8))

    def __init__(self,
                 clauses: Sequence[str] = CLAUSES[:6],
                 seed_threshold: float = 0.5,
                 erased_threshold: float = 0.5,
                 margin: float = 0.1,
                 presence_threshold: float = 0.5,
                 bg_threshold: float = 0.05,
                 argmax_threshold: float = 0.26,
                 keep_share: float = 0.6,
                 min_cells: int = 4) -> None:
        super().__init__()
        unknown = sorted(set(clauses) - set(self.CLAUSES))
        if unknown:
            raise ValueError(
                f'LabelSelector has no clause {", ".join(unknown)}; there are '
                f'{", ".join(self.CLAUSES)}.')
        self.clauses = frozenset(clauses)
        self.seed_threshold = seed_threshold
        self.erased_threshold = erased_threshold
        self.margin = margin
        self.presence_threshold = presence_threshold
        self.bg_threshold = bg_threshold
        self.argmax_threshold = argmax_threshold
        self.keep_share = keep_share
        self.min_cells = min_cells

    @torch.no_grad()
    def forward(self, seed: Tensor, again: Tensor, targets: Tensor,
                presence: Tensor, erased: Tensor, background: Tensor,
                known: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
        """Labels a batch. Of equal scores the lowest class wins.

        Args:
            seed (Tensor): Normalised CAM (N, C, h, w) in [0, 1] of the
                images.
            again (Tensor): What the erased images show, of the same shape
                and range: their normalised CAM, or class probabilities.
            targets (Tensor): Image-level labels (N, C), 0 or 1.
            presence (Tensor): Probability (N, C) that the classifier gives
                each class in the erased image.
            erased (Tensor): (N, 1, h, w), boolean; padding counts as erased.
            background (Tensor): Probability (N, 1, h, w) of background in the
                erased images; 0 beside CAMs, which know none.
            known (Tensor): The highest of ``seed`` and of what the erased
                passes before the last have shown, of the same shape; with one
                pass ``seed`` itself.

        Returns:
            tuple[Tensor, dict[str, Tensor]]: Label maps (N, h, w), long: 0
            background, c + 1 class c, 255 ignored; and what is to be logged,
            ``label_r2``, the share of cells that R2 alone labels.
        """
        if 'R0' in self.clauses:
            seed, again, known = (
                x * targets[:, :, None, None] for x in (seed, again, known))
        # max and not topk: it takes the first of equal values.
        seed_score, seed_class = seed.max(1)
        score, again_class = again.max(1)
        if 'R5' in self.clauses:
            labels = torch.full_like(seed_class, 255)
        else:
            best, best_class = torch.maximum(known, again).max(1)
            labels = (best_class + 1) * (best > self.argmax_threshold)
        if 'R3' in self.clauses:
            low = torch.maximum(known.amax(1), score) < self.bg_threshold
            hidden = (targets > 0) & (seed.amax((2, 3)) == 0)
            low &= ~hidden.any(1)[:, None, None]
            labels = labels.masked_fill(low, 0)
        by_seed = by_again = torch.zeros_like(labels, dtype=torch.bool)
        if 'R2' in self.clauses:
            by_again = self._reliable(again, score, again_class, presence,
                                      erased, background)
            labels = torch.where(by_again, again_class + 1, labels)
        if 'R1' in self.clauses:
            by_seed = seed_score > self.seed_threshold
            labels = torch.where(by_seed, seed_class + 1, labels)
        if 'R4' in self.clauses:
            conflict = by_seed & by_again & (seed_class != again_class)
            labels = labels.masked_fill(conflict, 255)
        if 'R7' in self.clauses:
            labels = labels.masked_fill(
                small_regions(labels, self.min_cells), 255)
        by_again = by_again & ~by_seed & (labels != 255)
        return labels, dict(label_r2=by_again.float().mean())

    def _reliable(self, again: Tensor, score: Tensor, classes: Tensor,
                  presence: Tensor, erased: Tensor,
                  background: Tensor) -> Tensor:
        """Cells (N, h, w) that R2, and R6 if it holds, lets pass.

        ``score`` and ``classes`` (N, h, w) are the best of ``again``.
        """

        def of_cell(values):
            return values.gather(1, classes.flatten(1)).view_as(score)

        others = again.scatter(1, classes[:, None], 0.)
        runner_up = torch.cat((others, background), 1).amax(1)
        cells = ((score > self.erased_threshold) &
                 (score - runner_up > self.margin) & ~erased[:, 0] &
                 (of_cell(presence) > self.presence_threshold))
        if 'R6' in self.clauses:
            own = torch.zeros_like(again, dtype=torch.bool)
            own.scatter_(1, classes[:, None], cells[:, None])
            scores = again.float().masked_fill(~own, float('nan')).flatten(2)
            least = scores.nanquantile(1 - self.keep_share, dim=2)
            # A class without such a cell has no quantile, nor needs one.
            cells &= score >= of_cell(least)
        return cells
