# Copyright (c) mmktse authors. All rights reserved.
import pytest

from projects.seco.seco.schedule import Schedule

START = dict(
    ptc=0, lig=1001, seg=2001, prototypes=600, main_roi=10000, main_mask=0)
WEIGHTS = dict(ptc=.3, lig=.5, seg=.12)


def test_published_bounds_belong_to_the_phase_before():
    schedule = Schedule(WEIGHTS, START)
    for iteration, weights in ((0, (.3, 0, 0)), (1000, (.3, 0, 0)),
                               (1001, (.3, .5, 0)), (2000, (.3, .5, 0)),
                               (2001, (.3, .5, .12))):
        assert tuple(schedule.weight(name, iteration)
                     for name in WEIGHTS) == weights
    assert not schedule.begun('prototypes', 599)
    assert schedule.begun('prototypes', 600)
    assert schedule.begun('main_mask', 0)


def test_names_are_checked():
    with pytest.raises(ValueError, match="'seg'"):
        Schedule(WEIGHTS, {k: v for k, v in START.items() if k != 'seg'})
    with pytest.raises(ValueError, match="'sge'"):
        Schedule(WEIGHTS, dict(START, sge=1))
