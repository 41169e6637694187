# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Sequence


def shrink_factor(size: Sequence[int], max_long: Optional[int]) -> float:
    """Factor, at most 1, that brings an image to a longest side.

    Args:
        size (Sequence[int]): Height and width in pixels.
        max_long (int, optional): The longest side; None for no limit.
    """
    return 1. if max_long is None else min(max_long / max(size), 1.)
