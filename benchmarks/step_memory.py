# Copyright (c) mmktse authors. All rights reserved.
"""Memory of a training step of KTSE, from the shapes of its tensors.

Nothing is computed: a step of any size takes seconds and no memory. Counted is
what is alive at once, weights and gradients included, the optimizer's state
and the workspace of convolutions not.
"""
import argparse
import weakref
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mmktse.registry import MODELS
from mmktse.utils import format_table


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--config', default='configs/ktse/ktse_resnet38d_voc.py')
    parser.add_argument('--batch-size', type=int, default=16)
    parser.add_argument('--crop', type=int, default=320)
    return parser.parse_args()


class LiveMemory(TorchDispatchMode):
    """Bytes of the tensors that are alive, and their peak."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known = weakref.WeakSet()

    def add(self, *tensors: Tensor) -> None:
        """Counts the storages that are not counted yet."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if storage not in self.known:
                self.known.add(storage)
                self.now += storage.nbytes()
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self._drop, storage.nbytes())

    def _drop(self, size: int) -> None:
        self.now -= size

    def __torch_dispatch__(self, func, types, args=(), kwargs=None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.add(*(x for x in tree_leaves(out) if isinstance(x, Tensor)))
        return out


def peak_memory(config: str, batch_size: int, crop: int, with_cp: bool,
                bf16: bool) -> int:
    """Bytes at the peak of a step.

    Args:
        config (str): Config of KTSE.
        batch_size (int): Number of anchors.
        crop (int): Side of the images in pixels.
        with_cp (bool): Whether the backbone recomputes its units.
        bf16 (bool): Whether the step runs under autocast to bfloat16.
    """
    cfg = Config.fromfile(config)
    cfg.model.backbone.update(init_cfg=None, with_cp=with_cp)
    init_default_scope('mmktse')
    # One class an image, as most have.
    samples = [DataSample().set_gt_label([0]) for _ in range(batch_size)]
    model = MODELS.build(cfg.model).train()
    with FakeTensorMode(allow_non_fake_inputs=True):
        images = torch.empty(batch_size, 3, crop, crop)
        memory = LiveMemory()
        memory.add(*model.parameters(), images)
        with memory, torch.autocast('cpu', torch.bfloat16, enabled=bf16):
            losses = model.loss(images, samples, images.clone(), samples)
            sum(v for k, v in losses.items() if 'loss' in k).backward()
    return memory.peak


def main() -> None:
    args = parse_args()
    rows = [
        dict(
            precision='bfloat16' if bf16 else 'float32',
            with_cp=str(with_cp),
            peak=peak_memory(args.config, args.batch_size, args.crop, with_cp,
                             bf16) / 2**30) for bf16 in (False, True)
        for with_cp in (False, True)
    ]
    print(
        format_table(rows, [('precision', 'precision', ''),
                            ('with_cp', 'with_cp', ''),
                            ('peak', 'peak (GiB)', '.1f')]))


if __name__ == '__main__':
    main()
