# Copyright (c) mmktse authors. All rights reserved.
from mmktse.utils import shrink_factor


def test_shrink_factor():
    assert shrink_factor((30, 60), None) == 1
    assert shrink_factor((30, 60), 60) == 1
    assert shrink_factor((30, 60), 100) == 1
    assert shrink_factor((60, 30), 15) == .25
