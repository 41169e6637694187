# Copyright (c) mmktse authors. All rights reserved.
from typing import Tuple

import torch
from torch import Tensor


def sole_class(labels: Tensor) -> Tensor:
    """The class of a label map, where it shows a single one.

    Args:
        labels (Tensor): Label maps (..., h, w) long, 0 background.

    Returns:
        Tensor: (...) long: the class, 0 without any, -1 for several.
    """
    labels = labels.flatten(-2)
    high = labels.amax(-1)
    low = labels.masked_fill(labels == 0,
                             torch.iinfo(labels.dtype).max).amin(-1)
    return high.masked_fill((high > 0) & (low < high), -1)


def crop(images: Tensor, corners: Tensor, size: int) -> Tensor:
    """Cuts square pieces out of images.

    Args:
        images (Tensor): (b, ..., H, W).
        corners (Tensor): Rows and columns of the top left corners (b, n, 2).
        size (int): Side s of the pieces.

    Returns:
        Tensor: (b, n, ..., s, s).
    """
    offsets = torch.arange(size, device=images.device)
    rows = corners[..., 0, None, None] + offsets[:, None]
    columns = corners[..., 1, None, None] + offsets
    index = torch.arange(
        len(images), device=images.device)[:, None, None, None]
    # Indexed dimensions come first: the channels have to go back.
    pieces = images.movedim((-2, -1), (1, 2))[index, rows, columns]
    return pieces.movedim((2, 3), (-2, -1))


class ImageDecomposition:
    """Divides images into crops around what is uncertain.

    The image decomposition of the paper, with its category tags. Crops are
    centred on pixels that the CAM leaves undecided, where co-occurring
    classes meet, and get a tag each: 0 for background, a class (from 1), or -1
    where several classes or none for sure are shown. The two global
    views of an image share the tag of the whole image.

    With ``faithful`` three things are as in the published code: the share of
    foreground of a crop counts class ids instead of pixels, so that class 20
    needs a twentieth of the area of class 1; images without a confident class
    have the global tag 1; the crops are drawn by a generator that starts from
    seed 0 every time, on the CPU, which the device waits for. Without it,
    pixels are counted, such images have the tag -1, and crops are drawn from
    the generator of the device.

    Args:
        num_crops (int): Number n of crops of each image. Defaults to 10.
        crop_size (int): Side s of a crop in pixels. Defaults to 64.
        area_threshold (float): Share of foreground and uncertain pixels up
            to which a crop is background. Defaults to 0.2.
        faithful (bool): See above. Defaults to True.
    """

    def __init__(self,
                 num_crops: int = 10,
                 crop_size: int = 64,
                 area_threshold: float = 0.2,
                 faithful: bool = True) -> None:
        self.num_crops = num_crops
        self.crop_size = crop_size
        self.area_threshold = area_threshold
        self.faithful = faithful

    def __call__(self, roi: Tensor) -> Tuple[Tensor, Tensor]:
        """Places the crops and tags them.

        Args:
            roi (Tensor): ROI maps (b, H, W) long: class ids from 1, 0
                background, -1 uncertain, 255 outside of the image.

        Returns:
            tuple[Tensor, Tensor]: Top left corners (b, n, 2) and tags
            (b, n + 2), both long; in a row the two global views come first.
        """
        uncertain = roi == -1
        # Padding counts as background.
        known = roi.masked_fill(uncertain | (roi == 255), 0)
        whole = sole_class(known)
        foreground = known if self.faithful else (known > 0).long()
        foreground = foreground + uncertain
        # In an image of one class what is uncertain can be that class alone.
        known = torch.where(uncertain & (whole > 0)[:, None, None],
                            whole[:, None, None], known)

        corners = self.place(uncertain)
        crops, shares = (
            crop(maps, corners, self.crop_size)
            for maps in (known, foreground))
        tags = sole_class(crops)
        tags = tags.masked_fill(tags == 0, -1)
        area = shares.sum((2, 3)) / self.crop_size**2
        tags = tags.masked_fill(area <= self.area_threshold, 0)
        whole = whole.masked_fill(whole == 0, 1 if self.faithful else -1)
        whole = whole[:, None].expand(-1, 2)
        return corners, torch.cat((whole, tags), dim=1)

    def place(self, uncertain: Tensor) -> Tensor:
        """Draws the corners.

        Args:
            uncertain (Tensor): (b, H, W) bool.

        Returns:
            Tensor: Corners (b, n, 2) long of crops that are centred on
            uncertain pixels, or on any where there are fewer than n, and
            lie within the image.

        Raises:
            ValueError: If the image has fewer places than n.
        """
        margin = self.crop_size // 2
        # A pixel's place in this window is the corner of the crop around it.
        window = uncertain[:, margin:-margin, margin:-margin]
        width = window.shape[2]
        window = window.flatten(1)
        if window.shape[1] < self.num_crops:
            raise ValueError(
                f'A view of {tuple(uncertain.shape[1:])} pixels has no room '
                f'for {self.num_crops} crops of {self.crop_size}: make '
                'decomposition.crop_size smaller, or the views larger.')
        few = window.sum(1, keepdim=True) < self.num_crops
        candidates = window | few
        draw = self._published_draw if self.faithful else self._draw
        places = draw(candidates)
        return torch.stack((places // width, places % width), dim=-1)

    def _draw(self, candidates: Tensor) -> Tensor:
        order = torch.rand(candidates.shape, device=candidates.device)
        return order.masked_fill(~candidates, -1).topk(self.num_crops).indices

    def _published_draw(self, candidates: Tensor) -> Tensor:
        # The k-th candidate is where the count of candidates gets to k.
        counts = candidates.cumsum(1)
        ranks = torch.stack([
            torch.randperm(
                count,
                generator=torch.Generator().manual_seed(0))[:self.num_crops]
            for count in counts[:, -1].tolist()
        ])
        return torch.searchsorted(counts, ranks.to(counts.device) + 1)
