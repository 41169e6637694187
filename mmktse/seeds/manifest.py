# Copyright (c) mmktse authors. All rights reserved.
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

from mmengine.dist import is_main_process

from mmktse.utils import atomic_write, is_inside, json_sha256

MANIFEST = 'manifest.json'
LABELS = 'SegmentationClass'
SEEDS = 'seeds'
CONFIDENCE = 'Confidence'


def label_path(folder: Union[str, Path], img_id: str) -> Path:
    """Label map of an image in a pseudo-label folder."""
    return Path(folder) / LABELS / f'{img_id}.png'


def confidence_path(folder: Union[str, Path], img_id: str) -> Path:
    """Mask of the surest pixels of an image in a pseudo-label folder."""
    return Path(folder) / CONFIDENCE / f'{img_id}.png'


def seed_path(folder: Union[str, Path], img_id: str) -> Path:
    """Seed file of an image in a pseudo-label folder."""
    return Path(folder) / SEEDS / f'{img_id}.npz'


def read_manifest(folder: Union[str, Path]) -> Optional[dict]:
    """Reads the manifest of a folder.

    Returns:
        dict | None: None if the folder has none.

    Raises:
        ValueError: If the file is no manifest.
    """
    path = Path(folder) / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding='utf-8'))
        if not {'complete', 'settings', 'info'} <= set(manifest):
            raise ValueError('entries are missing')
        checksum = manifest.pop('sha256', None)
        if checksum not in (None, json_sha256(manifest)):
            raise ValueError('it was changed by hand')
        if not all(map(is_inside, manifest.get('ids', ()))):
            raise ValueError('an id leads out of the folder')
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ValueError(
            f'{path} is not a manifest of pseudo labels ({error}): bring the '
            'old one back, or make the labels again in another folder.'
        ) from error
    return manifest


def make_command(folder: Union[str, Path],
                 manifest: Optional[dict] = None) -> str:
    """Command that makes, or goes on making, a pseudo-label folder."""
    info = (manifest or {}).get('info', {})
    words = ['python tools/make_pseudo_labels.py', info.get('config')]
    if 'from_seeds' in info:
        words += ['--from-seeds', info['from_seeds']]
    else:
        words[1] = words[1] or 'CONFIG'
        words.append(info.get('checkpoint') or 'CHECKPOINT')
    return ' '.join([*filter(None, words), '--out', str(folder)])


def check_complete(folder: Union[str, Path],
                   ids: Optional[Sequence[str]] = None) -> dict:
    """Refuses a folder that is not a finished set of pseudo labels.

    Args:
        folder (str | Path): Pseudo-label folder.
        ids (Sequence[str], optional): Images needed. Defaults to those of the
            manifest.

    Returns:
        dict: The manifest.

    Raises:
        FileNotFoundError: If the folder, its manifest or labels are missing;
            the message names the command that makes them.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    remedy = f'Make them with: {make_command(folder, manifest)}'
    if manifest is None:
        what = 'has no manifest.json' if folder.is_dir() else 'does not exist'
        raise FileNotFoundError(
            f'Pseudo-label folder {folder} {what}. {remedy}')
    if not manifest['complete']:
        raise FileNotFoundError(
            f'The pseudo labels in {folder} are not finished. {remedy}')
    foreign = sorted(set(ids or ()) - set(manifest['ids']))
    if foreign:
        raise FileNotFoundError(
            f'{len(foreign)} of {len(ids)} images ({", ".join(foreign[:5])}, '
            f'...) have no pseudo label in {folder}, which was made from '
            f'another list of images. {remedy}')
    missing = [
        name for name in (ids or manifest['ids'])
        if not label_path(folder, name).is_file()
    ]
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} pseudo labels are gone from {folder} '
            f'({", ".join(missing[:5])}, ...). {remedy}')
    return manifest


def differences(old: dict, new: dict, prefix: str = '') -> List[str]:
    """Says of each setting that changed what it was and what it is now."""
    return [
        f'{prefix}{key} was {old.get(key)}, is now {new.get(key)}'
        for key in sorted(set(old) | set(new)) if old.get(key) != new.get(key)
    ]


class Manifest:
    """Says what a pseudo-label folder holds, and when it is complete.

    It is written when the work starts, so that a later start with other
    settings is refused, and once more at the end. It holds no time stamps:
    the same work gives the same bytes.

    Args:
        folder (str | Path): Pseudo-label folder.
        settings (dict[str, dict]): Sections of everything that shapes the
            labels. Goes on only where they are equal.
        info (dict): What a person wants to know besides, such as paths.
    """

    def __init__(self, folder: Union[str, Path], settings: Dict[str, dict],
                 info: dict) -> None:
        self.folder = Path(folder)
        # As it reads back: tuples become lists.
        self.content: Dict[str, Any] = json.loads(
            json.dumps(dict(complete=False, settings=settings, info=info)))

    @property
    def complete(self) -> bool:
        """Whether all labels were finished."""
        return self.content['complete']

    def start(self) -> None:
        """Claims the folder, or takes up what is half done there.

        Raises:
            ValueError: If the folder was made with other settings, or holds
                seeds or labels of unknown origin.
        """
        old = read_manifest(self.folder)
        if old is None:
            for name in (SEEDS, LABELS):
                if (self.folder / name).exists():
                    raise ValueError(
                        f'{self.folder} holds {name} but no manifest, so '
                        'nobody knows what made them; choose another folder.')
        else:
            was, now = old['settings'], self.content['settings']
            changes = [
                change for section in sorted(set(was) | set(now))
                for change in differences(
                    was.get(section, {}), now.get(section, {}), f'{section}.')
            ]
            if changes:
                raise ValueError(
                    f'{self.folder} was made with other settings ('
                    f'{"; ".join(changes)}); choose another folder, or '
                    'delete this one.')
            if old['complete']:
                self.content = old
                return
        if is_main_process():
            self._write()

    def finish(self, ids: List[str], **results: Any) -> None:
        """Declares the folder complete.

        Args:
            ids (list[str]): Images that have a label.
            **results: Further entries, such as the threshold found.
        """
        self.content.update(complete=True, ids=list(ids), **results)
        if is_main_process():
            self._write()

    def _write(self) -> None:
        with atomic_write(self.folder / MANIFEST, 'w') as file:
            # A change by hand would have labels pass for what they are not.
            checksum = json_sha256(self.content)
            json.dump(dict(self.content, sha256=checksum), file, indent=1)
            file.write('\n')
