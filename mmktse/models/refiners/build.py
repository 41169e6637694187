# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional

from mmktse.registry import MODELS
from .base import BaseRefiner


def with_class(cfg: Optional[dict]) -> Optional[dict]:
    """Config with the class itself in place of its name, None for None.

    Where another process unpickles it, the module of the class is imported:
    refiners of projects are found in worker processes, too.
    """
    if cfg is None or not isinstance(cfg['type'], str):
        return cfg
    return dict(cfg, type=MODELS.get(cfg['type']) or cfg['type'])


def build_refiner(cfg: Optional[dict]) -> Optional[BaseRefiner]:
    """Builds a refiner from its config, None from None."""
    # The scope keeps short names working under any default scope.
    return None if cfg is None else MODELS.build(dict(cfg, _scope_='mmktse'))
