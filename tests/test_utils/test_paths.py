# Copyright (c) mmktse authors. All rights reserved.
import pytest

from mmktse.utils import is_inside


@pytest.mark.parametrize('img_id, inside', [('a', True), ('a/b', True),
                                            ('a..b', True), ('../a', False),
                                            ('a/../../b', False),
                                            ('a/..', False), ('/a', False)])
def test_ids(img_id, inside):
    assert is_inside(img_id) is inside
