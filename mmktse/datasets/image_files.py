# Copyright (c) mmktse authors. All rights reserved.
import os
import os.path as osp
from typing import Dict, List, Optional

from torchvision.datasets.folder import IMG_EXTENSIONS


def without_suffix(img_id: str) -> str:
    """Id of an image that a list may name with its suffix."""
    stem, suffix = osp.splitext(img_id)
    return stem if suffix.lower() in IMG_EXTENSIONS else img_id


class ImageFiles:
    """Files of images by id, which is a path below a folder without suffix.

    Every folder is listed once.

    Args:
        root (str): The folder.
        suffix (str, optional): Suffix of all images. Defaults to None: any
            usual one, in upper or lower case.
    """

    def __init__(self, root: str, suffix: Optional[str] = None) -> None:
        self.root = root
        self.suffix = suffix
        self._listed: Dict[str, Dict[str, List[str]]] = {}

    def _names(self, folder: str) -> Dict[str, List[str]]:
        """File names of a folder by id; none if there is no such folder."""
        if folder not in self._listed:
            names: Dict[str, List[str]] = {}
            path = osp.join(self.root, folder)
            for name in sorted(os.listdir(path)) if osp.isdir(path) else []:
                if self.suffix is None:
                    stem, suffix = osp.splitext(name)
                    fits = suffix.lower() in IMG_EXTENSIONS
                else:
                    stem = name[:len(name) - len(self.suffix)]
                    fits = name.endswith(self.suffix)
                if fits and not name.startswith('.'):
                    names.setdefault(stem, []).append(name)
            self._listed[folder] = names
        return self._listed[folder]

    def ids(self, folder: str = '') -> List[str]:
        """Sorted ids of the images that lie in a folder below the root."""
        return [osp.join(folder, stem) for stem in sorted(self._names(folder))]

    def find(self, img_id: str) -> Optional[str]:
        """Path of an image, None if there is none.

        Raises:
            ValueError: If there are several, such as a .jpg and a .png.
        """
        folder, stem = osp.split(img_id)
        names = self._names(folder).get(stem, [])
        if len(names) > 1:
            raise ValueError(
                f'{" and ".join(names)} in {osp.join(self.root, folder)} have '
                'the same id: rename or remove all but one, or set '
                'img_suffix.')
        return osp.join(self.root, folder, names[0]) if names else None

    def looked_for(self, img_id: str) -> str:
        """Where an image that is not there should be, for messages."""
        return osp.join(self.root, img_id) + (self.suffix or '.*')
