# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, Optional, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from .page import save_figure

# Set, not measured: never smoothed.
_SCHEDULES = ('lr', 'momentum')


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
            :func:`~mmktse.engine.training_log.load_scalars`; ``low`` and
            ``high`` (both (T,)) beside ``values`` are shown as a band.
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
