# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict

# What is not a term of the loss; see Schedule.
_SWITCHES = ('prototypes', 'main_roi', 'main_mask')


class Schedule:
    """What a training step holds, by its iteration.

    Args:
        weights (dict[str, float]): Weight of each term of the loss.
        start (dict[str, int]): First iteration, from 0, of each term, before
            which its weight is 0, and of three switches: 'prototypes' get
            updates, 'main_roi' takes the regions of the crops from the main
            CAM, 'main_mask' the pseudo masks; before it is the auxiliary CAM.
            Published bounds are the last iteration before: 1,000 is 1,001
            here.

    Raises:
        ValueError: If a name has no start, or is unknown.
    """

    def __init__(self, weights: Dict[str, float], start: Dict[str,
                                                              int]) -> None:
        names = {*weights, *_SWITCHES}
        if names != set(start):
            raise ValueError(
                f'The schedule needs start={{...}} for {sorted(names)}, and '
                f'no other, but has {sorted(start)}.')
        self.weights = weights
        self.start = start

    def begun(self, name: str, iteration: int) -> bool:
        """Whether a term or switch is on in an iteration."""
        return iteration >= self.start[name]

    def weight(self, name: str, iteration: int) -> float:
        """Weight of a term of the loss in an iteration."""
        return self.weights[name] * self.begun(name, iteration)
