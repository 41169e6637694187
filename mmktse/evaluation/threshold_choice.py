# Copyright (c) mmktse authors. All rights reserved.
import json
import os.path as osp
from pathlib import Path
from typing import Optional, Sequence, Union

from mmktse.seeds.manifest import SEEDS, seed_path
from mmktse.utils import json_sha256
from .seed_metric import count_seeds


def choose_threshold(seed_folder: Union[str, Path],
                     dataset,
                     split: str,
                     thresholds: Optional[Sequence[float]] = None,
                     num_workers: int = 0) -> dict:
    """Finds the threshold with the best mIoU of the seeds.

    The seeds are read once, whatever the number of thresholds. Of equally
    good thresholds the lowest is taken.

    Args:
        seed_folder (str | Path): Pseudo-label folder that holds seeds.
        dataset (BaseDataset): The images to choose on; all need a seed and
            a mask.
        split (str): File that names them, for the record.
        thresholds, num_workers: As in :func:`count_seeds`.

    Returns:
        dict: 'threshold', its 'mIoU' in percent, 'source' (the choice in
        words, for manifest and tables), 'split', 'num_images', 'ids',
        'ids_sha256' (of the sorted ids), and 'curve' with 'threshold' and
        the means of :func:`segmentation_rates` as lists.

    Raises:
        FileNotFoundError: If seeds or masks are missing.
    """
    samples = [dataset.get_data_info(i) for i in range(len(dataset))]
    no_seed = [
        s['img_id'] for s in samples
        if not seed_path(seed_folder, s['img_id']).is_file()
    ]
    no_mask = [
        s['img_id'] for s in samples
        if not osp.isfile(s.get('seg_map_path') or '')
    ]
    for names, what, remedy in (
        (no_seed, f'seed in {Path(seed_folder) / SEEDS}',
         'make them with tools/make_pseudo_labels.py'),
        (no_mask, 'mask, without which nothing can be chosen',
         'add the masks, or name images that have one')):
        if names:
            raise FileNotFoundError(
                f'{len(names)} of the {len(samples)} images of {split}, such '
                f'as {names[0]}, have no {what}: {remedy}.')
    rates = count_seeds(
        Path(seed_folder) / SEEDS, dataset, thresholds, num_workers).rates()
    del rates['IoU']
    best = int(rates['mIoU'].argmax())
    ids = sorted(sample['img_id'] for sample in samples)
    return dict(
        threshold=float(rates['threshold'][best]),
        mIoU=float(rates['mIoU'][best]),
        # Only the name: a folder that is moved stays the same choice.
        source=f'best on {osp.basename(split)} ({len(ids)} images)',
        split=split,
        num_images=len(ids),
        ids_sha256=json_sha256(ids),
        ids=ids,
        curve={
            key: value.tolist()
            for key, value in rates.items()
        })


def load_choice(path: Union[str, Path]) -> dict:
    """Reads what ``tools/analysis_tools/sweep_threshold.py`` wrote.

    Args:
        path (str | Path): JSON file.

    Returns:
        dict: See :func:`choose_threshold`, with 'seeds' (what made them).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is something else, or was changed.
    """
    try:
        choice = json.loads(Path(path).read_text(encoding='utf-8'))
        if not {'threshold', 'source', 'ids', 'ids_sha256', 'seeds'
                } <= set(choice):
            raise ValueError('entries are missing')
        if choice['ids_sha256'] != json_sha256(choice['ids']):
            raise ValueError('its ids were changed')
        choice['threshold'] = float(choice['threshold'])
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'There is no file {path} with a threshold: make it with '
            'tools/analysis_tools/sweep_threshold.py, or give a number or '
            '"oracle".') from error
    except (ValueError, TypeError, OSError) as error:
        raise ValueError(
            f'{path} is not the choice of a threshold ({error}): make it '
            'with tools/analysis_tools/sweep_threshold.py.') from error
    return choice


def overlap_note(choice: dict, ids: Sequence[str]) -> str:
    """Says how many of the images measured served to choose the threshold.

    Args:
        choice (dict): See :func:`choose_threshold`.
        ids (Sequence[str]): Images measured.

    Returns:
        str: To follow the source of the choice; '' if they share no image.
    """
    shared = len(set(choice['ids']) & set(ids))
    if not shared:
        return ''
    if shared == len(ids):
        # On the same images it is an oracle, on more it is no better.
        every = shared == len(choice['ids'])
        return (', the very images measured'
                if every else ', all images measured among them')
    return f', {shared} of them among the images measured'
