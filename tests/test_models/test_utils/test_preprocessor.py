# Copyright (c) mmktse authors. All rights reserved.
from types import SimpleNamespace

import pytest
from mmseg.models.data_preprocessor import SegDataPreProcessor

from mmktse.models.utils.preprocessor import swaps_channels


@pytest.mark.parametrize('swap', [True, False])
def test_every_distribution(swap):
    mean = dict(mean=[1., 2., 3.], std=[1., 1., 1.])
    assert swaps_channels(SegDataPreProcessor(bgr_to_rgb=swap, **mean)) is swap
    assert swaps_channels(SegDataPreProcessor(rgb_to_bgr=swap, **mean)) is swap
    for name in ('_channel_conversion', 'channel_conversion'):
        assert swaps_channels(SimpleNamespace(**{name: swap})) is swap
