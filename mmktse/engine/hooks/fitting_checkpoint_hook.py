# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, Optional, Sequence

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from mmktse.registry import HOOKS


def fitting_state(model: nn.Module,
                  checkpoint: dict,
                  new: Optional[Sequence[str]] = None) -> Dict[str, Tensor]:
    """Weights of a checkpoint under the names of the network.

    Args:
        model (nn.Module): The network.
        checkpoint (dict): With a ``state_dict``, or the state dict itself.
        new (Sequence[str], optional): Beginnings of the names of tensors that
            the checkpoint need not have.

    Returns:
        dict[str, Tensor]: At least all others that the network has.

    Raises:
        ValueError: One sentence with the first parameter that is missing or
            has another shape.
    """
    state = checkpoint.get('state_dict', checkpoint)
    state = {name.removeprefix('module.'): x for name, x in state.items()}
    wanted = model.state_dict()
    new = tuple(new or ())
    missing = [
        name for name in wanted
        if name not in state and not name.startswith(new)
    ]
    other_shape = [
        name for name in wanted
        if name in state and state[name].shape != wanted[name].shape
    ]
    wrong = [*missing, *other_shape]
    if not wrong:
        return state
    hint = ('give the checkpoint that was trained with this config, or for '
            'load_from the one it is to start from')
    if 'conv1a.weight' in state:
        hint = ('a released one of KTSE is made fit by '
                'tools/model_converters/convert_weights.py ktse_resnet38d')
    raise ValueError(
        f'The checkpoint does not fit the network: {len(wrong)} of '
        f'{len(wanted)} tensors are missing or of another shape, the '
        f'first is "{wrong[0]}"; {hint}.')


@HOOKS.register_module()
class FittingCheckpointHook(Hook):
    """Refuses a checkpoint that leaves parameters of the network random.

    MMEngine only warns; the figures of a test would then be those of an
    untrained network.

    Args:
        new (Sequence[str]): Beginnings of the names of tensors that this
            network has beyond those of the checkpoint, as where a training
            goes on from the weights of the stage before. Defaults to none.
    """

    def __init__(self, new: Sequence[str] = ()) -> None:
        self.new = new

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compares names and shapes; see :func:`fitting_state`."""
        model = runner.model
        while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
            model = model.module
        fitting_state(model, checkpoint, self.new)
