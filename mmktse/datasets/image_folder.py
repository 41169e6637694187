# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Union

from mmengine.dataset import BaseDataset
from torchvision.datasets.folder import IMG_EXTENSIONS

from mmktse.registry import DATASETS


def image_root(path: Union[str, Path]) -> Path:
    """Folder that the ids of :func:`find_images` are relative to."""
    path = Path(path)
    return path.parent if path.is_file() else path


def find_images(path: Union[str, Path],
                ids: Optional[Sequence[str]] = None) -> Dict[str, str]:
    """Finds the images of a folder and its subfolders.

    Hidden files and folders are passed over.

    Args:
        path (str | Path): Folder, or a single image.
        ids (Sequence[str], optional): Selects and orders the images. Defaults
            to None: all, sorted.

    Returns:
        dict[str, str]: Path of the file by id, which is the path below the
        folder without suffix.

    Raises:
        FileNotFoundError: If there is no such folder, no image in it, or
            none of an id.
        ValueError: If two images have the same id.
    """
    path, root = Path(path), image_root(path)
    if not path.exists():
        raise FileNotFoundError(f'There is no folder or image {path}.')
    images: Dict[str, str] = {}
    for file in [path] if path.is_file() else sorted(path.rglob('*')):
        place = file.relative_to(root)
        if (file.suffix.lower() not in IMG_EXTENSIONS or not file.is_file()
                or any(part.startswith('.') for part in place.parts)):
            continue
        img_id = place.with_suffix('').as_posix()
        if img_id in images:
            raise ValueError(f'{images[img_id]} and {file} would have the '
                             'same mask: rename one of them.')
        images[img_id] = str(file)
    if not images:
        raise FileNotFoundError(f'{path} is or holds no image, which ends in '
                                f'{", ".join(IMG_EXTENSIONS)}.')
    if ids is None:
        return images
    missing = [img_id for img_id in ids if img_id not in images]
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {len(ids)} ids have no image in {path}: '
            f'{", ".join(missing[:20])}{", ..." if missing[20:] else ""}.')
    return {img_id: images[img_id] for img_id in ids}


@DATASETS.register_module()
class ImageFolderDataset(BaseDataset):
    """Images without annotations, for prediction.

    Args:
        data_root (str): Folder with images, also in subfolders, of any usual
            suffix; or a single image.
        ids (Sequence[str], optional): See :func:`find_images`, also for the
            errors. Defaults to None: all images.
        **kwargs: Arguments of :class:`mmengine.dataset.BaseDataset`.
    """

    def __init__(self,
                 data_root: str,
                 ids: Optional[Sequence[str]] = None,
                 **kwargs) -> None:
        self.ids = ids
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Lists ``img_id`` and ``img_path`` of each image."""
        images = find_images(self.data_root, self.ids)
        return [
            dict(img_id=img_id, img_path=path)
            for img_id, path in images.items()
        ]
