# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, Optional, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mmktse.seeds.label_io import color_map
from .label_gallery import check_runs, gallery_row
from .page import draw_panels, page_size, save_figure
from .run_source import RunSource
from .threshold_curve import draw_curve


def save_summary(path: str,
                 samples: Sequence[dict],
                 runs: Sequence[RunSource],
                 classes: Sequence[str],
                 palette: Optional[Sequence] = None,
                 scores: Optional[Dict[str, float]] = None,
                 curves: Optional[Dict[str, dict]] = None,
                 title: str = '') -> str:
    """Write one figure that shows what a whole pipeline did.

    Above, a row for each image: the image, its truth and every run (CAMs or
    label maps). Below, where given, the mIoU of each stage as bars and the
    seeds' mIoU against the threshold.

    Args:
        path (str): PNG to write.
        samples (sequence[dict]): With 'img_id', 'img_path' and, optionally,
            'seg_map_path'; at least one.
        runs (sequence[RunSource]): One column each, at least one.
        classes (sequence[str]): Names without background, for the legend.
        palette (sequence, optional): RGB triples, background first.
        scores (dict[str, float], optional): mIoU in percent by stage; the
            name should say the split, and 'oracle' where it is.
        curves (dict[str, dict], optional): By run, what ``evaluate_seeds``
            returned.
        title (str): Heading.

    Returns:
        str: ``path``.
    """
    if not samples:
        raise ValueError('name at least one image to show')
    check_runs(samples, runs)
    rows = [gallery_row(sample, runs, palette) for sample in samples]
    width, height = page_size(rows)
    charts = [part for part in (scores, curves) if part]
    # The bars need a line of text each.
    below = max(2.6, .3 * len(scores or ()) + .9) if charts else 0.
    width = max(width, 8.)
    figure = Figure((width, height + below + .8), 110, layout='constrained')
    figure.suptitle(title, fontsize=11)
    pictures, bottom = figure, None
    if charts:
        pictures, bottom = figure.subfigures(
            2, 1, height_ratios=(height + .4, below))
    draw_panels(pictures, rows)
    # Only the classes a reader can meet on this page.
    colors = color_map(palette) / 255
    present = sorted({c for s in samples for c in s.get('gt_label', ())})
    if not present and len(classes) <= 20:
        present = range(len(classes))
    if present:
        pictures.legend(
            handles=[
                Patch(color=colors[c + 1], label=classes[c]) for c in present
            ],
            loc='outside lower center',
            ncols=min(8, len(present)),
            fontsize=8,
            frameon=False)
    if charts:
        axes = iter(bottom.subplots(1, len(charts), squeeze=False)[0])
        if scores:
            _draw_bars(next(axes), scores)
        if curves:
            ax = next(axes)
            draw_curve(ax, curves, 'mIoU')
            ax.set_title('seeds; star: oracle, dot: fixed', fontsize=8)
            ax.legend(fontsize=7)
    return save_figure(figure, path)


def _draw_bars(ax, scores: Dict[str, float]) -> None:
    bars = ax.barh(list(scores), list(scores.values()), color='C0')
    ax.bar_label(bars, fmt='%.1f', fontsize=8, padding=2)
    ax.invert_yaxis()
    ax.set(xlim=(0, 105), xlabel='mIoU (%)')
    ax.tick_params(labelsize=8)
    ax.spines[['top', 'right']].set_visible(False)
