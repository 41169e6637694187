# Copyright (c) mmktse authors. All rights reserved.
import torch


def test_counts_what_lives(load):
    memory = load('step_memory').LiveMemory()
    with memory:
        a = torch.ones(1000)
        b = a.view(10, 100).T  # no memory of its own
        c = a + 1
        del a
        assert memory.now == 8000
        del b
        assert memory.now == 4000
        c.add_(1)
        assert (memory.now, memory.peak) == (4000, 8000)


def test_recomputing_needs_less(load):
    peak_memory = load('step_memory').peak_memory
    args = 'configs/ktse/ktse_resnet38d_voc.py', 4, 128
    assert peak_memory(*args, True, False) < peak_memory(*args, False, False)
