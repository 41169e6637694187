# Copyright (c) mmktse authors. All rights reserved.
from torch import nn


def swaps_channels(preprocessor: nn.Module) -> bool:
    """Whether a data preprocessor turns BGR images into RGB.

    Args:
        preprocessor (nn.Module): mmseg's ``SegDataPreProcessor``, which names
            the setting otherwise in its original distribution.
    """
    names = ('_channel_conversion', 'channel_conversion')
    return any(getattr(preprocessor, name, False) for name in names)
