# Copyright (c) mmktse authors. All rights reserved.
import json
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

from mmktse.engine.label_maker import stored_origin
from mmktse.engine.pipeline import METRICS
from mmktse.seeds.label_io import color_map
from mmktse.seeds.manifest import SEEDS
from .report_html import Html, class_name
from .report_statistics import ReportStatistics
from .threshold_curve import load_curve


class Run(NamedTuple):
    """Everything the sections of a report draw on.

    Attributes:
        dataset (BaseDataset): The images.
        folder (Path): Pseudo-label folder.
        seed_folder (Path | None): Folder that holds the seeds.
        manifest (dict): Of the folder.
        metrics (dict): What metrics.json holds; empty without one.
        split (str): Name of the list of images.
        statistics (ReportStatistics): Of all images.
        max_width (int): Longest side of the pictures in pixels.
        hide_images (bool): Whether photographs and masks are left out.
    """
    dataset: object
    folder: Path
    seed_folder: Optional[Path]
    manifest: dict
    metrics: dict
    split: str
    statistics: ReportStatistics
    max_width: int
    hide_images: bool

    @property
    def names(self) -> tuple:
        """Names of the classes, background first."""
        return ('background', *self.dataset.metainfo['classes'])

    @property
    def palette(self) -> Optional[Sequence]:
        """RGB triples, background first."""
        return self.dataset.metainfo.get('palette')

    @property
    def labels(self) -> dict:
        """Settings of the labels."""
        return self.manifest['settings'].get('labels', {})

    @property
    def threshold(self) -> Optional[float]:
        """Threshold in use; None where another rule makes the background."""
        if self.labels.get('background_alpha') is not None:
            return None
        return self.manifest['threshold']

    def swatch(self, c: int) -> Html:
        """Name and colour of a class, 0 being background."""
        return class_name(self.names[c], color_map(self.palette)[c])


def find_seeds(folder: Path, manifest: dict) -> Optional[Path]:
    """Folder that holds the seeds a folder of labels was made of.

    Returns:
        Path | None: None where they are gone, or others stand there now.
    """
    if (folder / SEEDS).is_dir():
        return folder
    source = manifest['info'].get('from_seeds')
    if source is None or not (Path(source) / SEEDS).is_dir():
        return None
    made = manifest['settings'].get('seeds', {})
    now = stored_origin(source)['settings']
    same = all(made.get(key) == value for key, value in now.items())
    return Path(source) if same else None


def read_metrics(folder: Path) -> dict:
    """Reads what ``make_pseudo_labels.py`` measured.

    Returns:
        dict: With the list 'rows', and 'curve' if seeds were measured; empty
        if there is no such file.

    Raises:
        ValueError: If the file is something else.
    """
    path = folder / METRICS
    try:
        metrics = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(
            f'{path} is not JSON ({error}); delete it.') from error
    rows = metrics.get('rows') if isinstance(metrics, dict) else None
    if not isinstance(rows, list) or not all(
            isinstance(row, dict) for row in rows):
        raise ValueError(
            f'{path} is not of tools/make_pseudo_labels.py: it has no rows; '
            'delete it.')
    return load_curve(path) if 'curve' in metrics else metrics
