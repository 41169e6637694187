# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp
from typing import Optional, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from torch import Tensor

from mmktse.registry import MODELS
from mmktse.utils import file_sha256, json_sha256
from ..affinity.irn import STRIDE
from ..utils.cam import resize
from .base import BaseRefiner
from .random_walk import random_walk


def spread_to_edges(cam: Tensor, edge: Tensor, size: Tuple[int, int],
                    **kwargs) -> Tensor:
    """Spreads the CAMs of an image up to its edges.

    Args:
        cam (Tensor): CAMs (K, h', w') of any size; resized to the edges.
        edge (Tensor): Probability of an edge (1, h, w) at
            :data:`~mmktse.models.affinity.irn.STRIDE`.
        size (tuple[int, int]): Size (H, W) of the image.
        **kwargs: beta, log2_steps and radius of :func:`random_walk`.

    Returns:
        Tensor: (K, H, W) in [0, 1]; the strongest value of all classes is 1,
        unless all are 0.
    """
    cam = random_walk(resize(cam[None], edge.shape[1:])[0], edge, **kwargs)
    cam = F.interpolate(cam[None], scale_factor=STRIDE, mode='bilinear')
    cam = cam[0, :, :size[0], :size[1]]
    peak = cam.max()
    return cam / peak if peak > 0 else cam


@MODELS.register_module()
class IRNRefiner(BaseRefiner):
    """Random walk of the foreground scores up to the edges of an IRN.

    The score of the background stays what it is, so that the threshold of
    the labels is relative to the strongest refined score; published: 0.25.

    Args:
        config (str): Config of the :class:`~mmktse.models.affinity.IRN`.
        checkpoint (str): Its weights.
        device (str): Where network and walk run. With 'cuda', set
            ``num_workers=0`` for the labels; every process of a distributed
            run then has its own GPU. Defaults to 'cpu'.
        beta (float): See :func:`random_walk`. Defaults to 10.
        log2_steps (int): See :func:`random_walk`. Defaults to 8.
        radius (int): See :func:`random_walk`. Defaults to 5.
        max_long (int, optional): See :class:`BaseRefiner`.

    Raises:
        FileNotFoundError: If there is no such config or checkpoint.
        ValueError: If they do not belong together.
    """

    def __init__(self,
                 config: str,
                 checkpoint: str,
                 device: str = 'cpu',
                 beta: float = 10,
                 log2_steps: int = 8,
                 radius: int = 5,
                 max_long: Optional[int] = None) -> None:
        super().__init__(max_long)
        for path in (config, checkpoint):
            if not osp.isfile(path):
                raise FileNotFoundError(
                    f'IRNRefiner: there is no file {path}; train an IRN with '
                    'tools/train.py and give its config and checkpoint.')
        model = Config.fromfile(config).model.to_dict()
        # The checkpoint alone does not say what becomes of an image.
        self.sha256 = json_sha256([model, file_sha256(checkpoint)])
        # Not initialised: all weights come from the checkpoint.
        self.model = MODELS.build(dict(model, _scope_='mmktse'))
        try:
            state = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
            self.model.load_state_dict(state.get('state_dict', state))
        # Damaged files fail in every possible way.
        except Exception as error:
            raise ValueError(
                f'IRNRefiner: {checkpoint} is damaged or holds no weights of '
                f'the IRN of {config}; give the config that it was trained '
                'with.') from error
        self.model.to(device).eval()
        self.walk = dict(beta=beta, log2_steps=log2_steps, radius=radius)

    def refine(self, image: np.ndarray, scores: np.ndarray) -> np.ndarray:
        if len(scores) == 1:  # nothing to spread
            return scores
        # BGR, as the data preprocessors of OpenMMLab take it.
        picture = torch.from_numpy(image[..., ::-1].transpose(2, 0, 1).copy())
        edge = self.model.predict_edge(picture)
        cam = torch.from_numpy(scores[1:]).to(edge.device)
        cam = spread_to_edges(cam, edge, image.shape[:2], **self.walk)
        return np.concatenate([scores[:1], cam.cpu().numpy()])
