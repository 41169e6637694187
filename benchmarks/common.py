# Copyright (c) mmktse authors. All rights reserved.
"""What the benchmarks share: clocks, rows of the table, files."""
import argparse
import json
import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from mmktse.datasets import ImageLevelDataset
from mmktse.seeds import save_seed
from mmktse.utils import atomic_write

ROOT = Path(__file__).resolve().parents[1]
SMALL_CONFIG = str(ROOT / 'configs/ktse/ktse_efficientnet-lite0_custom.py')
# Images with one, two and three classes, as in VOC.
CLASS_SHARES = (.59, .29, .12)
# Between two ways to take a training step.
LOSS_RTOL = 1e-4
GRAD_RTOL = 1e-3


@dataclass
class Row:
    """A line of the table.

    Attributes:
        what (str): What is measured.
        against (str): What it is measured against.
        ours, straightforward (float): Their figures.
        unit (str): 's', 'MiB', 'GiB' (less is better) or one ending in '/s'
            (more is better).
        target (float, optional): The ratio to reach.
    """
    what: str
    against: str
    ours: float
    straightforward: float
    unit: str = 's'
    target: Optional[float] = None

    @property
    def ratio(self) -> float:
        """How many times better ours is."""
        if self.unit.endswith('/s'):
            return self.ours / self.straightforward
        return self.straightforward / self.ours


def markdown(header: Sequence[str], lines: Sequence[Sequence]) -> str:
    """A Markdown table."""
    lines = [header, ['---'] * len(header), *lines]
    return '\n'.join(f'| {" | ".join(map(str, line))} |' for line in lines)


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    return markdown(
        ('what', 'against what', 'ours', 'straightforward', 'ratio', 'target'),
        [(row.what, row.against, f'{row.ours:.4g} {row.unit}',
          f'{row.straightforward:.4g} {row.unit}', f'{row.ratio:.2f}',
          '' if row.target is None else row.target) for row in rows])


def hardware(threads: Optional[int] = None) -> dict:
    """Processor, cores, threads of PyTorch and versions."""
    cpu = platform.processor()
    if os.path.isfile('/proc/cpuinfo'):
        lines = Path('/proc/cpuinfo').read_text().splitlines()
        names = [x.split(':')[1] for x in lines if x.startswith('model name')]
        cpu = names[0].strip() if names else cpu
    found = dict(
        cpu=cpu,
        cores=num_cores(),
        threads=threads or torch.get_num_threads(),
        torch=torch.__version__,
        numpy=np.__version__,
        python=platform.python_version())
    if torch.cuda.is_available():
        found['gpu'] = torch.cuda.get_device_name()
    return found


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def hardware_line(**kwargs) -> str:
    """:func:`hardware` as one line of text."""
    return ', '.join(f'{k} {v}' for k, v in hardware(**kwargs).items())


def make_parser(text: str,
                repeats: int = 3,
                threads: Optional[int] = None) -> argparse.ArgumentParser:
    """A parser with the options that all benchmarks have.

    Args:
        text (str): Description.
        repeats (int): Default of ``--repeats``; 0 where all is timed once.
            Defaults to 3.
        threads (int, optional): Default of ``--threads``. Defaults to None:
            one for each core.
    """
    parser = argparse.ArgumentParser(description=text)
    if repeats:
        parser.add_argument('--repeats', type=int, default=repeats)
    parser.add_argument(
        '--threads', type=int, default=threads or num_cores(), help='PyTorch')
    parser.add_argument('--json', help='append the figures to this file')
    return parser


def image_size(text: str) -> tuple:
    """Argument type of ``HxW``, in pixels."""
    height, width = map(int, text.split('x'))
    return height, width


def report(args: argparse.Namespace,
           measure: Callable[..., List[Row]]) -> List[Row]:
    """Measures, prints the table and appends it to ``args.json``."""
    torch.set_num_threads(args.threads)
    rows = measure(args)
    print(hardware_line())
    print(table(rows), flush=True)
    if args.json:
        append_json(
            args.json,
            dict(
                settings={
                    k: v
                    for k, v in vars(args).items() if k != 'json'
                },
                hardware=hardware(),
                rows=to_dicts(rows)))
    return rows


def to_dicts(rows: Sequence[Row]) -> List[dict]:
    """The rows with their ratios, for JSON."""
    return [dict(asdict(row), ratio=row.ratio) for row in rows]


def append_json(path: str, value: dict) -> None:
    """Appends a line to a file of JSON lines."""
    path = Path(path)
    before = path.read_text() if path.exists() else ''
    with atomic_write(path, 'w') as file:
        file.write(before + json.dumps(value) + '\n')


def replace_between(path: str, name: str, text: str) -> None:
    """Replaces what stands between two comments of a Markdown file.

    Args:
        path (str): File that holds ``<!-- NAME begin -->`` and, behind it,
            ``<!-- NAME end -->``.
        name (str): Name of the part.
        text (str): What is to stand between them.

    Raises:
        SystemExit: If the file has no such comments.
    """
    begin, end = f'<!-- {name} begin -->', f'<!-- {name} end -->'
    content = Path(path).read_text() if Path(path).is_file() else ''
    head, found, rest = content.partition(begin)
    old, closed, tail = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f'{path} has no "{begin}" with "{end}" behind it: '
                         'add both lines where the table is to stand.')
    with atomic_write(path, 'w') as file:
        file.write(f'{head}{begin}\n{text}\n{end}{tail}')


def timed(function: Callable, *args) -> tuple:
    """What a function returns, and the seconds that it takes."""
    start = time.perf_counter()
    result = function(*args)
    return result, time.perf_counter() - start


def medians(functions: Dict[str, Callable],
            repeats: int,
            warmup: int = 1) -> Dict[str, float]:
    """Times functions in turn, so that all see the same machine.

    Args:
        functions (dict): What to call, without arguments.
        repeats (int): Rounds that count.
        warmup (int): Rounds before them. Defaults to 1.

    Returns:
        dict[str, float]: Median of the seconds of each.
    """
    seconds = {name: [] for name in functions}
    for _ in range(warmup + repeats):
        for name, function in functions.items():
            seconds[name].append(timed(function)[1])
    return {k: statistics.median(v[warmup:]) for k, v in seconds.items()}


def differing_losses(got: Dict[str, torch.Tensor],
                     want: Dict[str, torch.Tensor]) -> List[str]:
    """Prints the losses of two steps; what differs too much, as sentences."""
    faults = []
    for key in sorted(got | want):
        if 'loss' not in key:
            continue
        a, b = (float(losses[key].detach()) for losses in (got, want))
        if b == 0:
            faults.append(f'{key} is 0 and shows nothing')
            continue
        error = abs(a - b) / abs(b)
        print(f'{key:12}{b:12.6f}  relative difference {error:.1e}')
        if not error <= LOSS_RTOL:
            faults.append(f'{key} differs by {error:.1e}')
    return faults


def differing_gradients(ours: torch.nn.Module,
                        other: torch.nn.Module) -> List[str]:
    """The same of the gradients of two networks, by their norm."""
    gap = norm = 0.
    for a, b in zip(ours.parameters(), other.parameters()):
        if b.grad is not None:
            gap += float((a.grad - b.grad).double().square().sum())
            norm += float(b.grad.double().square().sum())
    error = (gap / norm)**.5
    print(f'norm of the gradient {norm**.5:.6g}, of the difference '
          f'{gap**.5:.3g} (relative {error:.1e})')
    if error <= GRAD_RTOL:
        return []
    return [f'the gradients differ by {error:.1e}']


def smooth(rng: np.random.Generator, channels: int,
           size: Sequence[int]) -> torch.Tensor:
    """A random smooth map (channels, H, W) in [0, 1]."""
    coarse = torch.from_numpy(rng.random((1, channels, 12, 16), np.float32))
    return F.interpolate(coarse, tuple(size), mode='bicubic')[0].clamp(0, 1)


def smooth_image(rng: np.random.Generator, size: Sequence[int]) -> np.ndarray:
    """A random smooth image (H, W, 3) uint8."""
    image = smooth(rng, 3, size).permute(1, 2, 0) * 255
    return image.byte().numpy()


def draw_classes(rng: np.random.Generator, num_classes: int) -> List[int]:
    """One to three classes, as often as in VOC."""
    count = rng.choice(np.arange(1, 4), p=CLASS_SHARES)
    return sorted(rng.choice(num_classes, count, replace=False).tolist())


def make_dataset(root: Path,
                 num_images: int,
                 size: Sequence[int],
                 num_classes: int,
                 seeds: bool = True):
    """Writes images with tags, and seeds of the classes they are tagged with.

    Args:
        root (Path): Folder to fill: ``JPEGImages/``, ``labels.txt``,
            ``classes.txt`` and ``seeds/seeds/``.
        num_images (int): Number of images.
        size (Sequence[int]): (H, W).
        num_classes (int): Number of classes.
        seeds (bool): Whether to write seeds. Defaults to True.

    Returns:
        ImageLevelDataset: The images, without a pipeline.
    """
    rng = np.random.default_rng(0)
    (root / 'JPEGImages').mkdir()
    lines = []
    for number in range(num_images):
        Image.fromarray(smooth_image(rng, size)).save(
            root / f'JPEGImages/{number}.jpg', quality=92)
        classes = draw_classes(rng, num_classes)
        lines.append(' '.join(map(str, [number, *classes])))
        if seeds:
            save_seed(root / f'seeds/seeds/{number}.npz',
                      smooth(rng, len(classes), size), np.array(classes))
    (root / 'labels.txt').write_text('\n'.join(lines))
    (root / 'classes.txt').write_text('\n'.join(f'class{i}'
                                                for i in range(num_classes)))
    return ImageLevelDataset(
        str(root),
        'labels.txt',
        metainfo=dict(classes='classes.txt'),
        pipeline=[])
