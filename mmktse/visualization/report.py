# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Union

import numpy as np

from mmktse.engine.pipeline import METRICS
from mmktse.seeds.manifest import MANIFEST, check_complete
from mmktse.utils import atomic_write
from mmktse.version import __version__
from .report_gallery import gallery, unusual
from .report_html import (PERCENT, Html, Number, Section, curve_legend,
                          curve_svg, facts, format_number, format_percent,
                          page, paragraph, table, tiles)
from .report_run import Run, find_seeds, read_metrics
from .report_statistics import collect_statistics

# The matrix of more classes than these cannot be taken in at a glance.
_MANY_CLASSES = 25
_NUM_CONFUSIONS = 20
_RATES = ('mIoU', 'precision', 'recall', 'coverage')


def save_report(path: Union[str, Path],
                dataset,
                folder: Union[str, Path],
                split: str = 'all images',
                images_per_class: int = 3,
                max_width: int = 320,
                hide_images: bool = False) -> int:
    """Writes one self-contained HTML page about a pseudo-label folder.

    Masks and seeds are used where there are any: without masks, everything
    that is measured is left out.

    Args:
        path (str | Path): HTML file to write.
        dataset (BaseDataset): The images, or some of them.
        folder (str | Path): Complete pseudo-label folder.
        split (str): Name of the list of images. Defaults to 'all images'.
        images_per_class (int): Images in each gallery. Defaults to 3.
        max_width (int): Longest side of the pictures in pixels. Defaults to
            320.
        hide_images (bool): Leave out photographs and masks, for pages about
            images that may not be passed on. Defaults to False.

    Returns:
        int: Size of the file in bytes.

    Raises:
        FileNotFoundError: If the folder is incomplete or of other images.
        ValueError: If it has other classes, or a file is broken.
    """
    if images_per_class < 1:
        raise ValueError(
            f'images_per_class must be at least 1, got {images_per_class}.')
    if max_width < 32:
        raise ValueError(f'max_width must be at least 32, got {max_width}.')
    folder = Path(folder)
    if not len(dataset):
        raise ValueError('The data set is empty: nothing to report on.')
    ids = [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]
    manifest = check_complete(folder, ids)
    made = manifest['settings'].get('dataset', {}).get('classes')
    classes = list(dataset.metainfo['classes'])
    if made is not None and made != classes:
        raise ValueError(
            f'{folder} was made for the classes {made}, the config has '
            f'{classes}: give the config that made it.')
    seed_folder = find_seeds(folder, manifest)
    metrics = read_metrics(folder)
    statistics = collect_statistics(dataset, folder, manifest['threshold'],
                                    seed_folder, images_per_class)
    run = Run(dataset, folder, seed_folder, manifest, metrics, split,
              statistics, max_width, hide_images)
    with atomic_write(path, 'w') as file:
        for part in report_parts(run):
            file.write(part)
    return Path(path).stat().st_size


def report_parts(run: Run) -> Iterator[str]:
    """The page, part by part."""
    measured = run.statistics.num_measured > 0
    sections = [Section('about', 'What made it', about(run))]
    rows = figure_rows(run)
    if rows:
        sections.append(Section('figures', 'Figures', figures(rows)))
    sections.append(Section('classes', 'Classes', per_class(run)))
    if measured:
        sections.append(Section('confusion', 'Confusion', confusion(run)))
    summary = run.statistics.seed_summary() or run.metrics
    if 'curve' in summary:
        sections.append(
            Section('curve', 'Threshold of the seeds', curve(run, summary)))
    sections.append(Section('gallery', 'Images of each class', gallery(run)))
    sections.append(Section('unusual', 'Unusual images', unusual(run)))
    title = f'Pseudo labels: {run.folder.resolve().name}'
    return page(title, intro(run), sections)


def intro(run: Run) -> List[Html]:
    """Key figures, and what a reader must know before any other."""
    statistics = run.statistics
    total = int(statistics.pixels.sum())
    key = [('images', f'{statistics.num_images:,}'),
           ('classes', str(statistics.num_classes))]
    if statistics.num_measured:
        rates = statistics.label_rates()
        key += [(name, format_number(rates[name], unit=PERCENT))
                for name in _RATES]
    key.append(
        ('foreground', format_percent(statistics.pixels[1:-1].sum(), total)))
    key.append(('ignored', format_percent(statistics.pixels[-1], total)))
    parts = [tiles(key)]
    if (run.labels.get('threshold_source') == 'oracle'
            or _overlap(run) == len(run.manifest['ids'])):
        parts.append(
            paragraph(
                'Oracle: the threshold was chosen with the masks of the very '
                'images that are labelled. The figures of these labels are '
                'not those of a method that sees image-level labels alone.',
                'note'))
    if not statistics.num_measured:
        parts.append(
            paragraph(
                'These images have no masks: what needs the truth (IoU, '
                'precision, recall, confusion, worst and best images) is left '
                'out, and shares of pixels stand in its place.', 'note'))
    elif statistics.num_measured < statistics.num_images:
        parts.append(
            paragraph(
                f'{statistics.num_measured:,} of the '
                f'{statistics.num_images:,} images have a mask: everything '
                'that needs the truth is about these.', 'note'))
    made = len(run.manifest['ids'])
    if statistics.num_images < made:
        parts.append(
            paragraph(f'This page is about {statistics.num_images:,} of the '
                      f'{made:,} images of the folder.'))
    return parts


def threshold_words(run: Run) -> str:
    """The threshold in use and how it was chosen."""
    if run.threshold is None:
        return ('none: the background scores (1 - highest score) to the power '
                f'of {run.labels["background_alpha"]:g}')
    source = run.labels.get('threshold_source', 'unknown')
    words = dict(
        fixed='fixed beforehand',
        oracle='oracle: the best against the masks of the very images that '
        'were labelled').get(source, source)
    shared = run.manifest.get('threshold_choice', {}).get('overlap')
    if shared:
        words += f'; {shared:,} of them are among the images labelled'
    return f'{run.threshold:.2f}, {words}'


def refiner_words(refiner: Optional[dict]) -> str:
    """A refiner and its parameters."""
    if not refiner:
        return 'none'
    settings = {key: value for key, value in refiner.items() if key != 'type'}
    return f'{refiner["type"]} ({_words(settings) or "default parameters"})'


def _words(value) -> str:
    if isinstance(value, dict):
        return ', '.join(f'{key}={_words(item)}'
                         for key, item in value.items())
    return str(value)


def about(run: Run) -> Iterator[Html]:
    """Where the labels come from."""
    info, settings = run.manifest['info'], run.manifest['settings']
    seeds = settings.get('seeds', {})
    lower = run.labels.get('ignore_threshold')
    pairs = [
        ('config', info.get('config') or 'unknown'),
        ('checkpoint', info.get('checkpoint')),
        ('SHA-256 of the checkpoint', seeds.get('checkpoint_sha256')),
        ('seeds of', info.get('from_seeds')),
        ('classes of an image from its', seeds.get('cam_source')),
        ('threshold', threshold_words(run)),
        ('ignore band', 'none'
         if lower is None else f'scores from {lower:g} up to the threshold'),
        ('refiner', refiner_words(run.labels.get('refiner'))),
        ('images', f'{run.statistics.num_images:,} ({run.split})'),
        ('version', f'labels mmktse {seeds.get("version", "unknown")}, this '
         f'page mmktse {__version__}'),
    ]
    yield facts([pair for pair in pairs if pair[1] is not None],
                'Origin of the labels')
    entries = [(f'{section}.{key}', _words(value))
               for section, content in (*settings.items(), ('info', info))
               for key, value in content.items()
               if key not in ('classes', 'palette')]
    entries += [(key, _words(value)) for key, value in run.manifest.items()
                if key not in ('settings', 'info', 'ids')]
    yield Html(f'<details><summary>All entries of {MANIFEST}</summary>')
    yield facts(entries, f'Entries of {MANIFEST}')
    yield Html('</details>\n')


def figure_rows(run: Run) -> List[dict]:
    """Rows of the table of figures: those stored, and those measured now.

    What was measured now and says the same as a stored row is left out.
    """
    rows = [dict(row, origin=METRICS) for row in run.metrics.get('rows', ())]
    return rows + [
        dict(row, origin='this page') for row in measured_rows(run)
        if not any(_same_figures(row, stored) for stored in rows)
    ]


def _overlap(run: Run) -> int:
    """Number of labelled images that served to choose the threshold."""
    return run.manifest.get('threshold_choice', {}).get('overlap', 0)


def measured_rows(run: Run) -> List[dict]:
    """Figures of seeds and labels, as ``make_pseudo_labels.py`` has them."""
    rows = []
    common = dict(split=run.split)
    source = run.labels.get('threshold_source', 'unknown')
    if _overlap(run):
        source += f', {_overlap(run)} of them among the images labelled'
    summary = run.statistics.seed_summary()
    if summary is not None:
        chosen = dict(oracle='oracle')
        if run.threshold is not None and not (
                source == 'oracle'
                and summary['oracle']['threshold'] == run.threshold):
            # An oracle of other images is none of these.
            chosen['fixed'] = ('oracle of the images labelled'
                               if source == 'oracle' else source)
        for which, words in chosen.items():
            rows.append(
                dict(
                    common,
                    **summary[which],
                    what='seed',
                    threshold_source=words,
                    refiner='none'))
    if run.statistics.num_measured:
        refiner = run.labels.get('refiner') or dict(type='none')
        rows.append(
            dict(
                common,
                **run.statistics.label_rates(),
                what='pseudo labels',
                threshold=run.threshold,
                threshold_source=source,
                refiner=refiner['type']))
    return rows


def _same_figures(row: dict, other: dict) -> bool:
    keys = [
        key for key in ('threshold', 'mIoU', 'precision', 'recall')
        if row[key] is not None
    ]
    return row['what'] == other.get('what') and np.allclose(
        [row[key] for key in keys],
        np.array([other.get(key) for key in keys], float),
        rtol=0,
        atol=.005)


def figures(rows: Sequence[dict]) -> Iterator[Html]:
    """The figures of seeds and labels."""
    yield table(
        ('what', 'split', 'threshold', 'chosen', 'refiner', *_RATES,
         'measured by'),
        [(row.get('what', ''), row.get('split', ''),
          Number(row.get('threshold'), '.2f'), row.get('threshold_source', ''),
          row.get('refiner', ''), *(Number(row.get(key), '.2f')
                                    for key in _RATES), row['origin'])
         for row in rows], 'Figures of seeds and labels in percent',
        'sideways')
    yield paragraph(
        'Oracle: the threshold that is best on the very images measured. '
        'Coverage: how much of the truth is not ignored; the other figures '
        'of labels are about these pixels.', 'muted')


def per_class(run: Run) -> Iterator[Html]:
    """What became of every class."""
    statistics = run.statistics
    headings = ['class', 'images', 'without a pixel']
    columns = [
        [run.swatch(c) for c in range(len(run.names))],
        [Number(count, ',d') for count in statistics.tagged.tolist()],
        [Number(count, ',d') for count in statistics.missed.tolist()],
    ]
    if statistics.num_measured:
        for key, values in statistics.class_rates().items():
            headings.append(key)
            columns.append([Number(value, '.1f', 'hit') for value in values])
        # Over all true pixels, the ignored ones included.
        total = max(int(statistics.counts.sum()), 1)
        true = 100 * statistics.counts.sum(1) / total
        labelled = 100 * statistics.counts.sum(0)[:-1] / total
        ratio = np.divide(
            labelled, true, out=np.full_like(true, np.nan), where=true > 0)
        headings += ['labelled %', 'true %', 'labelled / true']
        columns += [[Number(value, '.2f') for value in values]
                    for values in (labelled, true, ratio)]
    else:
        total = max(int(statistics.pixels.sum()), 1)
        headings.append('labelled %')
        columns.append([
            Number(value, '.2f')
            for value in 100 * statistics.pixels[:-1] / total
        ])
    yield table(headings, zip(*columns), 'Every class', 'sortable sideways')
    words = ('Images: those tagged with the class; without a pixel: those of '
             'them whose label map does not show it. Labelled %: share of '
             'the pixels that got the class')
    if statistics.num_measured:
        words += (', beside the share that is of it in truth; a ratio above '
                  '1 is too much of it. Ignored pixels have a share of the '
                  'truth alone, and do not count in the rates')
    yield paragraph(words + '.', 'muted')


def confusion(run: Run) -> Iterator[Html]:
    """What true pixels of each class were labelled."""
    counts = run.statistics.counts
    true = counts.sum(1, keepdims=True)
    share = np.divide(
        100. * counts, true, out=np.full(counts.shape, np.nan), where=true > 0)
    names = (*run.names, 'ignored')
    # The last column says nothing where there is no ignore band.
    width = len(names) if counts[:, -1].any() else len(names) - 1
    yield paragraph(
        'Of the true pixels of the class at the left, the share in percent '
        'that was labelled as the class above. Blue: right; orange: wrong '
        'or ignored.', 'muted')
    if len(run.names) > _MANY_CLASSES:
        yield table(('true class', 'labelled as', 'share', 'pixels'),
                    strongest_confusions(share, counts, names),
                    f'The {_NUM_CONFUSIONS} strongest confusions', 'sortable')
    rows = []
    for y, name in enumerate(run.names):
        rows.append([
            name, *(Number(share[y, c], '.1f', 'hit' if y == c else 'miss')
                    for c in range(width))
        ])
    yield table(('true', *names[:width]), rows, 'Confusion in percent',
                'matrix sideways')


def strongest_confusions(share: np.ndarray, counts: np.ndarray,
                         names: Sequence[str]) -> List[tuple]:
    """Rows of the largest shares that were labelled as something else.

    Args:
        share (np.ndarray): (N + 1, N + 2) in percent of the true class.
        counts (np.ndarray): The pixels, of the same shape.
        names (sequence[str]): Of the columns.
    """
    wrong = np.nan_to_num(share)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind='stable')[:_NUM_CONFUSIONS]
    places = zip(*np.unravel_index(order, wrong.shape))
    return [(names[y], names[c], Number(wrong[y, c], '.1f', 'miss'),
             Number(int(counts[y, c]), ',d')) for y, c in places
            if wrong[y, c] > 0]


def curve(run: Run, summary: dict) -> Iterator[Html]:
    """The seeds at every threshold."""
    best = summary.get('oracle', {}).get('threshold')
    words = []
    if run.statistics.histogram is None:
        words.append(f'As {METRICS} has it.')
    if run.threshold is not None:
        words.append(f'Line and circle: the threshold in use, '
                     f'{threshold_words(run)}.')
    if best is not None:
        words.append(
            f'Star: {best:.2f}, oracle: the best on the images measured, mIoU '
            f'{summary["oracle"]["mIoU"]:.1f}.')
    words.append('The curves are of the bare seeds, without refinement or '
                 'ignore band.')
    yield paragraph(' '.join(words), 'muted')
    yield curve_legend()
    yield curve_svg(summary['curve'],
                    'mIoU, precision and recall against the threshold',
                    run.threshold, best)
    points = list(
        zip(*(summary['curve'][key] for key in ('threshold', *_RATES[:3]))))
    yield Html('<details><summary>The curve as a table</summary>')
    yield table(('threshold', *_RATES[:3]),
                [(f'{threshold:.2f}', *map(Number, rates))
                 for threshold, *rates in points],
                'Rates of the seeds in percent')
    yield Html('</details>\n')
