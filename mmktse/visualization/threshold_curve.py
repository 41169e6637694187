# Copyright (c) mmktse authors. All rights reserved.
import json
from typing import Dict

from matplotlib.figure import Figure

from .page import save_figure

METRICS = ('mIoU', 'precision', 'recall')


def load_curve(path: str) -> dict:
    """Read what ``evaluate_seeds`` returned from a JSON file.

    Args:
        path (str): JSON with 'curve' (lists 'threshold', 'mIoU', 'precision',
            'recall' of one length), 'oracle' and 'fixed'.

    Returns:
        dict: Its content.

    Raises:
        ValueError: If it holds no curve.
    """
    with open(path, encoding='utf-8') as file:
        try:
            summary = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f'{path} is not JSON: {error}.') from error
    curve = summary.get('curve', {}) if isinstance(summary, dict) else {}
    lengths = {len(curve.get(key, ())) for key in ('threshold', *METRICS)}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(
            f'{path} holds no threshold curve; make it with '
            'tools/analysis_tools/threshold_curve.py and --save-json.')
    return summary


def draw_curve(ax, summaries: Dict[str, dict], metric: str) -> None:
    """Draw one metric of several runs against the threshold.

    A star marks the threshold that is best in mIoU on the very images
    measured (oracle), a dot the one fixed beforehand.
    """
    for number, (title, summary) in enumerate(summaries.items()):
        color = f'C{number}'
        curve = summary['curve']
        ax.plot(curve['threshold'], curve[metric], color=color, label=title)
        for which, marker, size in (('oracle', '*', 11), ('fixed', 'o', 5)):
            point = summary.get(which)
            if point:
                ax.plot(
                    point['threshold'],
                    point[metric],
                    marker,
                    color=color,
                    markersize=size,
                    markeredgecolor='k',
                    markeredgewidth=.6)
    ax.set(xlabel='threshold', ylabel=f'{metric} (%)')
    ax.grid(alpha=.3)


def save_threshold_curve(path: str,
                         summaries: Dict[str, dict],
                         title: str = '') -> str:
    """Plot mIoU, precision and recall of seeds against the threshold.

    Args:
        path (str): PNG to write.
        summaries (dict[str, dict]): By run title, what ``evaluate_seeds``
            returned.
        title (str): Heading; say the split here.

    Returns:
        str: ``path``.
    """
    if not summaries:
        raise ValueError('name at least one run to plot')
    figure = Figure((11, 3.6), 110, layout='constrained')
    figure.suptitle(title, fontsize=10)
    axes = figure.subplots(1, 3)
    for ax, metric in zip(axes, METRICS):
        draw_curve(ax, summaries, metric)
    handles, labels = axes[0].get_legend_handles_labels()
    for i, (name, summary) in enumerate(summaries.items()):
        for which in ('oracle', 'fixed'):
            if which in summary:
                labels[i] += (f' | {which} {summary[which]["mIoU"]:.1f} at '
                              f'{summary[which]["threshold"]:.2f}')
    figure.legend(
        handles,
        labels,
        loc='outside lower center',
        fontsize=8,
        title='mIoU; star: best on these very images (oracle), dot: fixed '
        'beforehand',
        title_fontsize=8)
    return save_figure(figure, path)
