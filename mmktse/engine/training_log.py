# Copyright (c) mmktse authors. All rights reserved.
import json
from pathlib import Path
from typing import Dict, Iterator, List

import numpy as np

# Bookkeeping of MMEngine's logger, of no interest as a curve.
_SKIPPED = {'step', 'iter', 'epoch', 'time', 'data_time', 'memory', 'base_lr'}


def _files(path: str) -> List[Path]:
    files = [Path(path)]
    if Path(path).is_dir():
        files = sorted(Path(path).glob('**/vis_data/scalars.json'))
    if not files or not files[0].is_file():
        raise FileNotFoundError(
            f'There is no training log at {path}: give a scalars.json, or a '
            'work folder with */vis_data/scalars.json.')
    return files


def _records(file: Path) -> Iterator[dict]:
    lines = file.read_text(encoding='utf-8').splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            # A killed run may leave half a line at the end.
            if number < len(lines):
                raise ValueError(
                    f'{file}, line {number} is not JSON: {error}.') from error


def training_seconds(path: str) -> float:
    """Time that the logged steps took, over all parts of a resumed run.

    A logged time is the mean over the last steps, as many as the window of
    LogProcessor holds, and stands here for all steps since the one before.
    The sum is exact where the window is as long as the interval of the
    logger, as in the shipped configs, but for the steps between the last
    line of an epoch and its end.

    Args:
        path (str): See :func:`load_scalars`.

    Returns:
        float: Seconds, validation and saving left out.
    """
    times: Dict[int, float] = {}
    for file in _files(path):
        for record in _records(file):
            if 'iter' in record:
                times[record['step']] = record['time']
    steps = sorted(times)
    first = steps[0] - (steps[1] - steps[0] if len(steps) > 1 else 0)
    return sum((step - before) * times[step]
               for before, step in zip([first, *steps], steps))


def load_scalars(path: str) -> Dict[str, dict]:
    """Read the curves that MMEngine's logger left.

    Args:
        path (str): A ``scalars.json``, or a work folder with
            ``*/vis_data/scalars.json``. The parts of a resumed run are joined
            in the order of their names (times); a step that was done twice
            counts as in the last part.

    Returns:
        dict[str, dict]: By name of the value: ``steps`` and ``values`` (both
        (T,), ascending in steps) and ``unit``, 'iteration' for what training
        logs and 'evaluation step' for what a validation loop logs.

    Raises:
        FileNotFoundError: If there is no log.
        ValueError: If a line is not JSON.
    """
    points: Dict[str, dict] = {}
    units = {}
    for file in _files(path):
        for record in _records(file):
            for key, value in record.items():
                if key in _SKIPPED or isinstance(value, (str, bool)):
                    continue
                if not isinstance(value, (int, float)):
                    continue
                points.setdefault(key, {})[record['step']] = value
                units[key] = ('iteration'
                              if 'iter' in record else 'evaluation step')
    return {
        key:
        dict(
            steps=np.array(sorted(steps)),
            values=np.array([steps[s] for s in sorted(steps)], float),
            unit=units[key])
        for key, steps in points.items()
    }
