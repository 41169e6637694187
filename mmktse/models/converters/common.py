# Copyright (c) mmktse authors. All rights reserved.
import os
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Callable, Dict, Optional, Tuple

from mmengine.logging import print_log
from mmengine.model import update_init_info
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn


def place(index: int, depths: Tuple[int, ...]) -> Tuple[int, int]:
    """Turns a block's running number into (stage, block of that stage)."""
    for stage, depth in enumerate(depths):
        if index < depth:
            return stage, index
        index -= depth
    raise KeyError(index)


def without(state: Dict[str, Tensor], prefix: str) -> Dict[str, Tensor]:
    """Leaves out the names that begin with a prefix."""
    return {
        name: x
        for name, x in state.items() if not name.startswith(prefix)
    }


def rename(state: Dict[str, Tensor], rule: Callable[[str], str],
           source: str) -> Dict[str, Tensor]:
    """Gives tensors new names and turns floats into float32.

    Args:
        state (dict): Names and tensors.
        rule (Callable): Turns a name into the new one; KeyError if it knows
            none.
        source (str): The network the names belong to, for the error.

    Returns:
        dict: New names and tensors, in the same order.

    Raises:
        ValueError: If a name is unknown to the rule.
    """
    renamed = OrderedDict()
    for name, tensor in state.items():
        try:
            new_name = rule(name)
        except KeyError:
            raise ValueError(
                f'"{name}" is no parameter of {source}: this file cannot be '
                'converted.') from None
        renamed[new_name] = (
            tensor.float() if tensor.is_floating_point() else tensor)
    return renamed


def rename_all(state: Dict[str, Tensor], names: Dict[str, str],
               source: str) -> Dict[str, Tensor]:
    """Like :func:`rename`, with a table of names that all have to be there.

    Raises:
        ValueError: If a name is not in the table, or one of the table is
            missing.
    """
    renamed = rename(state, names.__getitem__, source)
    missing = [name for name in names if name not in state]
    if missing:
        raise ValueError(
            f'{len(missing)} parameters of {source} are missing, the first is '
            f'"{missing[0]}": this file cannot be converted.')
    return renamed


def load_weights(path: str) -> Dict[str, Tensor]:
    """Reads a state dict from a local file; tensors only, no objects.

    Args:
        path (str): File written by ``torch.save``.

    Returns:
        dict: Names and tensors on the CPU.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged or holds other things than tensors.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'Pretrained weights "{path}" not found: give the right path, or '
            'in a config switch them off with init_cfg=None.')
    try:
        state = CheckpointLoader.load_checkpoint(path, 'cpu', 'silent')
        return state.get('state_dict', state)
    # Other content than a dict has no "get".
    except (AttributeError, ValueError) as error:
        raise ValueError(
            f'"{path}" is damaged, or no state dict that torch.save wrote: '
            'fetch it again, or give the right file.') from error


class ConvertedInit(ABC):
    """Loads a converted state dict into a backbone."""

    def __init__(self, checkpoint: Optional[str] = None) -> None:
        self.checkpoint = checkpoint

    @abstractmethod
    def load(self) -> Dict[str, Tensor]:
        """Returns the state dict under the backbone's names."""

    def __call__(self, module: nn.Module) -> None:
        state = self.load()
        target = getattr(module, 'timm_model', module)
        missing, _ = target.load_state_dict(state, strict=False)
        if missing:
            raise ValueError(
                f'{self.checkpoint} has no tensors for {len(missing)} '
                f'parameters of {type(module).__name__}, the first is '
                f'"{missing[0]}": it belongs to another architecture.')
        # Else BaseModule.init_weights, which knows only the type "Pretrained"
        # as final, lets the children initialise themselves once more.
        for child in module.modules():
            if child is not module:
                child.is_init = True
        print_log(f'load model from: {self.checkpoint}', logger='current')
        if hasattr(module, '_params_init_info'):
            update_init_info(
                module,
                init_info=f'{type(self).__name__}: load from '
                f'{self.checkpoint}')
