# Copyright (c) mmktse authors. All rights reserved.
import torch
from torch import Tensor, nn
from torchvision.transforms import v2


class ColorAugment(nn.Module):
    """Changes colours, greys and blurs, each image of a batch by itself.

    BECO does this to the mixed images, hence on tensors and not in the data
    pipeline. How strong the published jitter is could not be read; the
    defaults are those of the library it calls.

    Args:
        brightness (float): Factors of the brightness from 1 - x to 1 + x.
            Defaults to 0.2.
        contrast (float): The same of the contrast. Defaults to 0.2.
        saturation (float): The same of the saturation. Defaults to 0.12.
        hue (float): Turns of the hue circle, at most 0.5. Defaults to 0.11.
        jitter_prob (float): Probability of these four. Defaults to 0.8.
        gray_prob (float): Probability of a grey image. Defaults to 0.2.
        blur_prob (float): Probability of a Gaussian blur of 5 pixels.
            Defaults to 0.5.
    """

    def __init__(self,
                 brightness: float = 0.2,
                 contrast: float = 0.2,
                 saturation: float = 0.12,
                 hue: float = 0.11,
                 jitter_prob: float = 0.8,
                 gray_prob: float = 0.2,
                 blur_prob: float = 0.5) -> None:
        super().__init__()
        jitter = v2.ColorJitter(brightness, contrast, saturation, hue)
        # The width that OpenCV gives to a kernel of five pixels.
        blur = v2.GaussianBlur(5, sigma=1.1)
        self.transform = v2.Compose([
            v2.RandomApply([jitter], p=jitter_prob),
            v2.RandomGrayscale(p=gray_prob),
            v2.RandomApply([blur], p=blur_prob)
        ])

    def forward(self, images: Tensor) -> Tensor:
        """Augments RGB images (N, 3, H, W) float in [0, 1]."""
        return torch.stack([self.transform(image) for image in images])
