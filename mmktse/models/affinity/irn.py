# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, List, Optional, Sequence, Tuple

import torch
from mmengine.model import BaseModel
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmktse.registry import MODELS

# Both outputs are at this stride.
STRIDE = 4


def reduced_size(size: Tuple[int, int]) -> Tuple[int, int]:
    """Size of an image (H, W) at :data:`STRIDE`, rounded up."""
    return -(-size[0] // STRIDE), -(-size[1] // STRIDE)


def reduced_labels(labels: Tensor) -> Tensor:
    """Label maps (N, H, W) at :data:`STRIDE`: the nearest pixel's label."""
    for axis in (1, 2):
        size = labels.shape[axis]
        centers = torch.arange(STRIDE // 2, size + STRIDE // 2, STRIDE)
        labels = labels.index_select(
            axis,
            centers.clamp_(max=size - 1).to(labels.device))
    return labels


def merge_mirrored(logits: Tensor, size: Tuple[int, int]) -> Tensor:
    """Mean edge of an image and its mirror.

    Args:
        logits (Tensor): (2, 1, h, w), of the image and of its mirror, each
            padded at the right and at the bottom.
        size (tuple[int, int]): Size (H, W) of the image.

    Returns:
        Tensor: Probability (1, ceil(H / 4), ceil(W / 4)) in [0, 1].
    """
    height, width = reduced_size(size)
    # Cut first: the padding of the mirror lies at the image's left side.
    edge, mirrored = logits[..., :height, :width].float()
    return ((edge + mirrored.flip(-1)) / 2).sigmoid()


def _branch(in_channels: int, channels: int, groups: int, stride: int,
            target: int) -> nn.Sequential:
    """1x1 convolution and resampling from one stride to another."""
    layers = [
        nn.Conv2d(in_channels, channels, 1, bias=False),
        nn.GroupNorm(groups, channels)
    ]
    if stride > target:
        layers.append(
            nn.Upsample(scale_factor=stride // target, mode='bilinear'))
    elif stride < target:
        layers.append(nn.AvgPool2d(target // stride, ceil_mode=True))
    return nn.Sequential(*layers, nn.ReLU())


def _join(maps: Sequence[Tensor]) -> Tensor:
    """Concatenates maps, all cut to the first one's size.

    An upsampled map is larger by less than one cell of its own, where a side
    of the image is not a multiple of its stride.
    """
    height, width = maps[0].shape[2:]
    return torch.cat([m[..., :height, :width] for m in maps], 1)


class EdgeHead(nn.Module):
    """Logit of an edge from five feature levels.

    Args:
        in_channels (Sequence[int]): Channels of the levels.
        strides (Sequence[int]): Their strides.
    """

    def __init__(self, in_channels: Sequence[int],
                 strides: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            _branch(channels, 32, 4, stride, STRIDE)
            for channels, stride in zip(in_channels, strides))
        self.fuse = nn.Conv2d(32 * len(in_channels), 1, 1)

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Logits (N, 1, h, w) at stride 4 of levels (N, C_i, h_i, w_i)."""
        return self.fuse(
            _join([branch(x) for branch, x in zip(self.branches, feats)]))


class DisplacementHead(nn.Module):
    """Displacement to the centre of the instance from five feature levels.

    Args:
        in_channels (Sequence[int]): Channels of the levels.
        strides (Sequence[int]): Their strides.
    """

    def __init__(self, in_channels: Sequence[int],
                 strides: Sequence[int]) -> None:
        super().__init__()
        widths, groups = (64, 128, 256, 256, 256), (8, 16, 16, 16, 16)
        # The three deep levels meet at the stride of the first of them.
        targets = (STRIDE, STRIDE, strides[2], strides[2], strides[2])
        self.branches = nn.ModuleList(
            map(_branch, in_channels, widths, groups, strides, targets))
        self.deep = _branch(sum(widths[2:]), 256, 16, strides[2], STRIDE)
        self.fuse = nn.Sequential(
            _branch(sum(widths[:2]) + 256, 256, 16, STRIDE, STRIDE),
            nn.Conv2d(256, 2, 1, bias=False))

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Rows and columns to go, (N, 2, h, w) in cells of stride 4."""
        maps = [branch(x) for branch, x in zip(self.branches, feats)]
        return self.fuse(_join([*maps[:2], self.deep(_join(maps[2:]))]))


@MODELS.register_module()
class IRN(BaseModel):
    """Inter-pixel relation network (Ahn et al., CVPR 2019).

    Learns from the confident pixels of pseudo labels where the edges between
    classes are; :class:`~mmktse.models.refiners.IRNRefiner` spreads CAMs up
    to them. The heads sit on five feature levels of a backbone that is not
    trained and stays in eval mode.

    The displacement is trained as published, since it shares its labels with
    the edge, but nothing here uses it: subtracting its mean over the data
    and moving pixels along it serves instance segmentation alone and is left
    out.

    Args:
        backbone (dict): Gives all five levels, or all but the first.
        data_preprocessor (dict): mmseg's ``SegDataPreProcessor``. Its ``size``
            pads smaller images of the training, its ``test_cfg.size`` those
            of :meth:`predict_edge`. The published network sees all images
            padded to the size of its crops, on which its group norms depend.
        in_channels (Sequence[int]): Channels of the five levels. Defaults to
            those of ResNet-50.
        strides (Sequence[int]): Strides of the levels, powers of two. The
            second is at most 4, the third at least. Defaults to those of
            ResNet-50 with a stride of 1 in its last stage.
        stem (str, optional): Module of the backbone whose output is the first
            level, where the backbone does not give it. Defaults to 'maxpool',
            which is ResNet's; None where the backbone gives all five.
        loss (dict): :class:`AffinityLoss`.
        init_cfg (dict, optional): Initialisation of the whole model.

    Raises:
        ValueError: If the levels are not five, or at strides that do not fit.
    """

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: dict,
                 in_channels: Sequence[int] = (64, 256, 512, 1024, 2048),
                 strides: Sequence[int] = (4, 4, 8, 16, 16),
                 stem: Optional[str] = 'maxpool',
                 loss: dict = dict(type='mmktse.AffinityLoss'),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(MODELS.build(data_preprocessor), init_cfg)
        if len(in_channels) != 5 or len(strides) != 5:
            raise ValueError('IRN needs the channels and strides of five '
                             f'levels, got {in_channels} and {strides}.')
        if max(strides[:2]) > STRIDE or min(strides[2:]) < max(
                STRIDE, strides[2]):
            raise ValueError(
                f'IRN needs two levels up to stride {STRIDE} and three from '
                f'there on, none finer than the third, got {strides}.')
        self.backbone = MODELS.build(backbone).requires_grad_(False)
        self.stem = stem
        self.edge_head = EdgeHead(in_channels, strides)
        self.displacement_head = DisplacementHead(in_channels, strides)
        self.affinity_loss = MODELS.build(loss)

    def train(self, mode: bool = True) -> 'IRN':
        """Sets the mode of the heads; the backbone stays in eval mode."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self,
                inputs: Tensor,
                data_samples: Optional[list] = None,
                mode: str = 'tensor'):
        """Runs the model.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            data_samples (list[SegDataSample], optional): With ``gt_sem_seg``
                (1, H, W), 0 background, 255 ignored.
            mode (str): ``tensor`` gives the edge logits (N, 1, h, w) and the
                displacement (N, 2, h, w), h = ceil(H / 4), w = ceil(W / 4);
                ``loss`` a dict of weighted losses.

        Raises:
            ValueError: If the mode is none of the two.
        """
        if mode == 'tensor':
            feats = self.extract_feat(inputs)
            return self.edge_head(feats), self.displacement_head(feats)
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        raise ValueError(f'mode is "{mode}", not tensor or loss; edges of '
                         'images come from IRN.predict_edge.')

    @torch.no_grad()
    def extract_feat(self, inputs: Tensor) -> List[Tensor]:
        """The five feature levels of images (N, 3, H, W)."""
        first: List[Tensor] = []
        if self.stem is None:
            feats = self.backbone(inputs)
        else:
            hook = self.backbone.get_submodule(
                self.stem).register_forward_hook(
                    lambda module, args, output: first.append(output))
            try:
                feats = self.backbone(inputs)
            finally:
                hook.remove()
        feats = [*first, *feats]
        if len(feats) != 5:
            raise ValueError(
                f'The backbone gives {len(feats)} levels, not five: set its '
                "out_indices, or IRN's stem.")
        return feats

    def loss(self, inputs: Tensor, data_samples: list) -> Dict[str, Tensor]:
        """Losses of :class:`AffinityLoss`."""
        labels = torch.cat([sample.gt_sem_seg.data for sample in data_samples])
        edge, displacement = self(inputs)
        return self.affinity_loss(edge, displacement, reduced_labels(labels))

    @torch.no_grad()
    def predict_edge(self, image: Tensor) -> Tensor:
        """Edges of an image of any size, averaged over it and its mirror.

        Args:
            image (Tensor): (3, H, W) as the data preprocessor takes it.

        Returns:
            Tensor: Probability (1, ceil(H / 4), ceil(W / 4)) in [0, 1].
        """
        # The preprocessor wants as many samples as images where it pads.
        samples = [SegDataSample(), SegDataSample()]
        data = self.data_preprocessor(
            dict(inputs=[image, image.flip(-1)], data_samples=samples))
        feats = self.extract_feat(data['inputs'])
        return merge_mirrored(self.edge_head(feats), image.shape[1:])
