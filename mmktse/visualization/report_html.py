# Copyright (c) mmktse authors. All rights reserved.
"""Pieces of a self-contained HTML page: style, tables, pictures, a curve."""
import base64
import io
import math
from html import escape
from typing import (Dict, Iterable, Iterator, NamedTuple, Optional, Sequence,
                    Tuple, Union)

import numpy as np
from PIL import Image

from mmktse.utils import shrink_factor

STYLE = """
:root {
  color-scheme: light dark;
  --bg: #fff; --fg: #1d2127; --muted: #55606c; --line: #d3d9df;
  --panel: #f4f6f8; --link: #1a56b0; --note: #fff6e0;
  --hit: 31,95,191; --miss: 214,92,0;
  --iou: #1a56b0; --precision: #b34700; --recall: #1c7a3d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #14171b; --fg: #e6e9ed; --muted: #a5afba; --line: #3a424b;
    --panel: #1d2228; --link: #82b6ff; --note: #362c12;
    --hit: 90,150,245; --miss: 240,130,50;
    --iou: #82b6ff; --precision: #ffa566; --recall: #6fd693;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 0 1rem 3rem; max-width: 76rem;
  background: var(--bg); color: var(--fg); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.5rem 0 .5rem; }
h2 {
  font-size: 1.35rem; margin: 2.5rem 0 .75rem; padding-top: .75rem;
  border-top: 1px solid var(--line);
}
h3 { font-size: 1.1rem; margin: 2rem 0 .25rem; }
h4 { font-size: 1rem; margin: 1rem 0 .25rem; color: var(--muted); }
p { max-width: 46rem; margin: .5rem 0; }
a { color: var(--link); }
.muted, figcaption, caption { color: var(--muted); }
.note {
  background: var(--note); padding: .6rem .8rem; border-radius: .4rem;
}
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; }
.tiles div {
  background: var(--panel); border-radius: .5rem; padding: .5rem .9rem;
}
.tiles dt { color: var(--muted); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.25rem; font-weight: 600; }
.links {
  display: flex; flex-wrap: wrap; gap: .3rem 1rem; padding: 0;
  list-style: none;
}
.scroll {
  overflow: auto; max-height: 85vh; max-width: 100%; margin-bottom: 1rem;
}
table {
  border-collapse: separate; border-spacing: 0; font-size: .92rem;
  font-variant-numeric: tabular-nums; overflow-wrap: normal;
}
caption { text-align: left; padding-bottom: .3rem; }
th, td {
  padding: .3rem .6rem; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--line);
}
thead th {
  position: sticky; top: 0; z-index: 1; background: var(--panel);
  vertical-align: bottom;
}
tbody th { font-weight: 500; background: var(--bg); }
.sideways tbody th { position: sticky; left: 0; }
.sideways thead th:first-child { left: 0; z-index: 2; }
.num { text-align: right; }
.wrap td { white-space: normal; overflow-wrap: anywhere; }
.wrap th { white-space: normal; vertical-align: top; min-width: 8rem; }
.hit { background: rgba(var(--hit), calc(var(--v) * .55)); }
.miss { background: rgba(var(--miss), calc(var(--v) * .55)); }
.matrix th, .matrix td { padding: .25rem .4rem; }
.matrix thead th span {
  display: inline-block; writing-mode: vertical-rl; rotate: 180deg;
  max-height: 9rem; overflow: hidden; text-overflow: ellipsis;
}
th button {
  all: unset; cursor: pointer; text-decoration: underline dotted;
}
th button:focus-visible { outline: 2px solid var(--link); }
[aria-sort=ascending] button::after { content: " \\2191"; }
[aria-sort=descending] button::after { content: " \\2193"; }
.swatch {
  display: inline-block; width: .9em; height: .9em; margin-right: .4em;
  border: 1px solid var(--muted); border-radius: .2em;
  vertical-align: -.08em;
}
.hatch {
  background: repeating-linear-gradient(
    135deg, rgb(224,224,192) 0 3px, rgb(48,48,48) 3px 6px);
}
.cases {
  display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr));
}
.cases.wide { grid-template-columns: 100%; }
.case { background: var(--panel); border-radius: .5rem; padding: .6rem; }
.case > p { margin: 0 0 .4rem; max-width: none; }
.pictures { display: grid; gap: .5rem; grid-template-columns: 1fr 1fr; }
.wide .pictures { grid-template-columns: repeat(4, 1fr); }
.pictures figure { margin: 0; min-width: 0; }
.pictures img { display: block; max-width: 100%; height: auto; }
figcaption { font-size: .85rem; }
.curve { display: block; width: 100%; max-width: 38rem; height: auto; }
.curve text { fill: var(--fg); font: 11px system-ui, sans-serif; }
.curve .grid { stroke: var(--line); }
.curve .mark { stroke: var(--fg); }
.curve circle, .curve .star {
  fill: var(--bg); stroke: var(--fg); stroke-width: 1.5;
}
.line { fill: none; stroke-width: 2; }
.mIoU { stroke: var(--iou); }
.precision { stroke: var(--precision); stroke-dasharray: 6 3; }
.recall { stroke: var(--recall); stroke-dasharray: 2 2.5; }
@media (max-width: 40rem) {
  .wide .pictures { grid-template-columns: 1fr 1fr; }
  body { padding: 0 .7rem 2rem; }
  .sideways tbody th {
    max-width: 9rem; overflow: hidden; text-overflow: ellipsis;
  }
}
"""

# Without it the tables stand in their first order.
SCRIPT = """
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      heads.forEach(other => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const value = row => row.cells[column].dataset.value;
      const compare = (a, b) => {
        const x = value(a), y = value(b);
        if (x === '' || y === '') return (x === '') - (y === '');
        const order = x === undefined ?
          a.cells[column].textContent.localeCompare(
            b.cells[column].textContent) : x - y;
        return down ? -order : order;
      };
      body.append(...[...body.rows].sort(compare));
    };
  });
}
"""

# A space that does not break a line.
PERCENT = '\u00a0%'

# No address is ever asked for anything.
POLICY = ("default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
          "script-src 'unsafe-inline'")


class Html(str):
    """Text that is HTML already; plain text is escaped."""


class Number(NamedTuple):
    """A figure in a table.

    Attributes:
        value (float): NaN and None are shown as a dash and sorted last.
        spec (str): Format. Defaults to one decimal.
        shade (str): 'hit' or 'miss' tints the cell by a value in percent.
    """
    value: Optional[float]
    spec: str = '.1f'
    shade: str = ''


def text(value: Union[str, Html]) -> str:
    """HTML of a text."""
    return value if isinstance(value, Html) else escape(str(value))


def format_number(value: Optional[float],
                  spec: str = '.1f',
                  unit: str = '') -> str:
    """A figure with its unit, or a dash where there is none."""
    if value is None or math.isnan(value):
        return '–'
    return format(value, spec) + unit


def format_percent(part: int, whole: int) -> str:
    """A share as text."""
    return format_number(100 * int(part) / max(int(whole), 1), unit=PERCENT)


def table(headings: Sequence[str],
          rows: Iterable[Sequence],
          caption: str,
          kind: str = '') -> Html:
    """A table in a box of its own that scrolls.

    Args:
        headings (sequence[str]): Of the columns.
        rows (iterable): Rows of texts and :class:`Number`; the first cell is
            the heading of the row.
        caption (str): What the table shows.
        kind (str): CSS classes, for example 'sortable'. Defaults to none.
    """
    rows = list(rows)
    numeric = [
        any(isinstance(row[i], Number) for row in rows)
        for i in range(len(headings))
    ]
    head = ''.join(f'<th scope="col"{" class=num" if number else ""}>'
                   f'<span>{text(heading)}</span></th>'
                   for heading, number in zip(headings, numeric))
    body = ''.join(f'<tr><th scope="row">{text(row[0])}</th>' +
                   ''.join(map(_cell, row[1:])) + '</tr>\n' for row in rows)
    return Html(
        f'<div class="scroll" tabindex="0" role="region" '
        f'aria-label="{escape(caption)}"><table class="{kind}">'
        f'<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>'
        f'\n<tbody>\n{body}</tbody></table></div>\n')


def _cell(cell: Union[str, Number]) -> str:
    if not isinstance(cell, Number):
        return f'<td>{text(cell)}</td>'
    shown = format_number(cell.value, cell.spec)
    known = shown != '–'
    classes, style = 'num', ''
    if cell.shade and shown == '0.0':
        classes += ' muted'
    elif cell.shade and known:
        classes += f' {cell.shade}'
        style = f' style="--v:{min(max(cell.value / 100, 0), 1):.3f}"'
    value = f'{cell.value:.6g}' if known else ''
    return f'<td class="{classes}"{style} data-value="{value}">{shown}</td>'


def facts(pairs: Iterable[Tuple[str, str]], caption: str) -> Html:
    """A table of names and what they stand for."""
    return table(('what', 'value'), pairs, caption, 'wrap')


def paragraph(words: str, kind: str = '') -> Html:
    """A paragraph, of the CSS class ``kind``."""
    return Html(f'<p{f" class={kind}" if kind else ""}>{text(words)}</p>\n')


def tiles(pairs: Iterable[Tuple[str, str]]) -> Html:
    """Key figures side by side."""
    inner = ''.join(f'<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>'
                    for name, value in pairs)
    return Html(f'<dl class="tiles">{inner}</dl>\n')


def links(targets: Iterable[Tuple[str, str]],
          label: str,
          more: Iterable[str] = ()) -> Html:
    """Links to places of the page.

    Args:
        targets (iterable): Pairs of id and text.
        label (str): What the list is.
        more (iterable[str]): Further entries that lead nowhere.
    """
    inner = ''.join(f'<li><a href="#{escape(target)}">{text(name)}</a></li>'
                    for target, name in targets)
    inner += ''.join(f'<li>{text(name)}</li>' for name in more)
    return Html(f'<nav aria-label="{escape(label)}"><ul class="links">{inner}'
                '</ul></nav>\n')


def ignored_name() -> Html:
    """The word for void behind a field of its stripes."""
    return Html('<span class="swatch hatch"></span>ignored')


def class_name(name: str, color: Sequence[int]) -> Html:
    """Name of a class behind a field of its colour."""
    rgb = ','.join(str(int(value)) for value in color)
    return Html(f'<span class="swatch" style="background:rgb({rgb})"></span>'
                f'{escape(name)}')


def fit(shape: Sequence[int], limit: int) -> Tuple[int, int]:
    """Width and height of a picture that is not larger than ``limit``.

    Args:
        shape (sequence[int]): (H, W, ...) of the original.
        limit (int): Longest side in pixels.
    """
    scale = shrink_factor(shape[:2], limit)
    return tuple(max(1, round(side * scale)) for side in shape[1::-1])


def data_uri(picture: np.ndarray, flat: bool = False) -> str:
    """A picture as an address that holds it.

    Args:
        picture (np.ndarray): (H, W, 3) uint8 RGB.
        flat (bool): PNG, which is exact and small where areas are of one
            colour. Defaults to False: JPEG.
    """
    file = io.BytesIO()
    image = Image.fromarray(picture)
    if flat:
        image.save(file, 'PNG', optimize=True)
    else:
        # Full resolution of colour: it tells the classes apart.
        image.save(file, 'JPEG', quality=75, subsampling=0, optimize=True)
    kind = 'png' if flat else 'jpeg'
    code = base64.b64encode(file.getvalue()).decode('ascii')
    return f'data:image/{kind};base64,{code}'


def picture(image: np.ndarray,
            caption: str,
            alt: str,
            flat: bool = False) -> Html:
    """A picture with its line of text; see :func:`data_uri`."""
    height, width = image.shape[:2]
    return Html(f'<figure><img src="{data_uri(image, flat)}" width="{width}" '
                f'height="{height}" alt="{escape(alt)}">'
                f'<figcaption>{escape(caption)}</figcaption></figure>\n')


# The plot of a curve: its size, and where 0 and 1 lie.
_SIZE = (420, 270)
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 408, 12, 226


def _place(threshold: float, rate: float) -> Tuple[float, float]:
    return (_LEFT + threshold * (_RIGHT - _LEFT),
            _BOTTOM - rate / 100 * (_BOTTOM - _TOP))


def curve_svg(curve: Dict[str, Sequence[float]],
              title: str,
              in_use: Optional[float] = None,
              best: Optional[float] = None) -> Html:
    """Rates against the threshold as a drawing.

    Args:
        curve (dict): Lists 'threshold', 'mIoU', 'precision' and 'recall'.
        title (str): What it shows, for those who cannot see it.
        in_use (float, optional): Threshold to mark with a line and a circle.
        best (float, optional): Threshold to mark with a star.
    """
    width, height = _SIZE
    parts = [
        f'<svg class="curve" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}">'
    ]
    for step in range(6):
        x, y = _place(step / 5, step * 20)
        parts += [
            f'<path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>',
            f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">'
            f'{step * 20}</text>', f'<text x="{x:.1f}" y="{_BOTTOM + 16}" '
            f'text-anchor="middle">{step / 5:g}</text>'
        ]
    parts.append(f'<text x="{(_LEFT + _RIGHT) / 2}" y="{_BOTTOM + 34}" '
                 'text-anchor="middle">threshold (rates in percent)</text>')
    for key in ('recall', 'precision', 'mIoU'):
        points = ' '.join('{:.1f},{:.1f}'.format(*_place(t, rate))
                          for t, rate in zip(curve['threshold'], curve[key])
                          if not math.isnan(rate))
        parts.append(f'<polyline class="line {key}" points="{points}"/>')
    if best is not None:
        x, y = _place(best, _rate_at(curve, best))
        parts.append(f'<path class="star" d="{_star(x, y)}"/>')
    if in_use is not None:
        x, y = _place(in_use, _rate_at(curve, in_use))
        parts.append(f'<path class="mark" d="M{x:.1f} {_TOP}V{_BOTTOM}"/>'
                     f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
    parts.append('</svg>\n')
    return Html('\n'.join(parts))


def _rate_at(curve: Dict[str, Sequence[float]], threshold: float) -> float:
    place = np.abs(np.asarray(curve['threshold']) - threshold).argmin()
    return curve['mIoU'][place]


def _star(x: float, y: float, radius: float = 7.) -> str:
    angles = math.pi * (np.arange(10) / 5 - .5)
    radii = np.where(np.arange(10) % 2, .45 * radius, radius)
    points = zip(x + radii * np.cos(angles), y + radii * np.sin(angles))
    return 'M' + 'L'.join(f'{px:.1f} {py:.1f}' for px, py in points) + 'Z'


def curve_legend() -> Html:
    """What the lines of :func:`curve_svg` are."""
    samples = ''.join(
        f'<li><svg width="30" height="10" aria-hidden="true"><path '
        f'class="line {key}" d="M0 5H30"/></svg> {key}</li>'
        for key in ('mIoU', 'precision', 'recall'))
    return Html(f'<ul class="links">{samples}</ul>\n')


class Section(NamedTuple):
    """Part of a page.

    Attributes:
        name (str): Its id.
        title (str): Its heading.
        content (iterable[Html]): What it holds.
    """
    name: str
    title: str
    content: Iterable[Html]


def page(title: str, intro: Sequence[Html],
         sections: Sequence[Section]) -> Iterator[str]:
    """A whole page, in parts, so that it need not be held in memory.

    Args:
        title (str): Its heading.
        intro (sequence[Html]): What stands above the contents.
        sections (sequence[Section]): The rest.
    """
    yield ('<!DOCTYPE html>\n<html lang="en">\n<head>\n'
           '<meta charset="utf-8">\n'
           f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
           '<meta name="viewport" content="width=device-width, '
           'initial-scale=1">\n'
           f'<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n'
           f'<body>\n<header>\n<h1>{escape(title)}</h1>\n')
    yield from intro
    yield '</header>\n'
    yield links([(part.name, part.title) for part in sections], 'Contents')
    yield '<main>\n'
    for part in sections:
        yield (f'<section id="{part.name}">\n<h2>{escape(part.title)}</h2>\n')
        yield from part.content
        yield '</section>\n'
    yield f'</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n'
