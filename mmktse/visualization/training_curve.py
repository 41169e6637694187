# Copyright (c) mmktse authors. All rights reserved.
import json
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from .page import save_figure

# Set, not measured: never smoothed.
_SCHEDULES = ('lr', 'momentum')
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
    # Each is the mean of the steps since the one before.
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


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of the last ``window`` values at each place, fewer at the start.

    NaN is left out; a window of nothing else gives NaN.
    """
    padded = np.concatenate([np.full(window - 1, np.nan), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)
    known = ~np.isnan(windows)
    count = known.sum(1)
    total = np.where(known, windows, 0).sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def save_training_curves(path: str,
                         runs: Dict[str, Dict[str, dict]],
                         keys: Optional[Sequence[str]] = None,
                         smooth: int = 1,
                         title: str = '') -> str:
    """Plot what training logged, one panel a value, several runs in each.

    Args:
        path (str): PNG to write.
        runs (dict[str, dict]): By run title, the result of
            :func:`load_scalars`; ``low`` and ``high`` (both (T,)) beside
            ``values`` are shown as a band.
        keys (sequence[str], optional): Values to plot; one that ends in '*'
            stands for all that begin so. Defaults to everything logged.
        smooth (int): Running mean over that many logged points, with the raw
            curve pale behind it. Defaults to 1: none.
        title (str): Heading.

    Returns:
        str: ``path``.

    Raises:
        ValueError: If nothing is left to plot.
    """
    if smooth < 1:
        raise ValueError(f'smooth must be at least 1, got {smooth}')
    known = list(dict.fromkeys(key for run in runs.values() for key in run))
    if keys is None:
        chosen = known
    else:
        chosen = []
        for key in keys:
            found = [
                name for name in known
                if name == key or key[-1:] == '*' and name.startswith(key[:-1])
            ]
            if not found:
                raise ValueError(f'No run logged "{key}"; logged were: '
                                 f'{", ".join(sorted(known))}.')
            chosen += [name for name in found if name not in chosen]
    if not chosen:
        raise ValueError(f'There is nothing to plot in {", ".join(runs)}.')
    columns = min(3, len(chosen))
    lines = -(-len(chosen) // columns)
    figure = Figure((4 * columns + .5, 2.6 * lines + .8),
                    110,
                    layout='constrained')
    figure.suptitle(title, fontsize=10)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for ax, key in zip(axes, chosen):
        for number, (name, run) in enumerate(runs.items()):
            if key not in run:
                continue
            steps, values = run[key]['steps'], run[key]['values']
            style = dict(color=f'C{number}')
            # A validation may have logged a single point.
            if len(steps) == 1:
                style['marker'] = 'o'
            if smooth > 1 and not key.startswith(_SCHEDULES):
                ax.plot(steps, values, alpha=.25, **style)
                values = running_mean(values, smooth)
            ax.plot(steps, values, **style)
            if 'low' in run[key]:
                ax.fill_between(
                    steps,
                    run[key]['low'],
                    run[key]['high'],
                    alpha=.2,
                    linewidth=0,
                    color=style['color'])
            ax.set_xlabel(run[key]['unit'], fontsize=8)
        ax.set_title(key, fontsize=9)
        ax.tick_params(labelsize=7)
        ax.grid(alpha=.3)
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    for ax in axes[len(chosen):]:
        ax.set_visible(False)
    figure.legend(
        handles=[
            Line2D([], [], color=f'C{number}', label=name)
            for number, name in enumerate(runs)
        ],
        loc='outside lower center',
        ncols=min(4, len(runs)),
        fontsize=8)
    return save_figure(figure, path)
