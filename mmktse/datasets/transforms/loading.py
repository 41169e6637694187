# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional, Sequence

import numpy as np
from mmcv.transforms import LoadImageFromFile
from PIL import Image

from mmktse.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """:class:`mmcv.transforms.LoadImageFromFile` that names a bad file.

    Everything that needs an image reads it by this class: turned as its EXIF
    data say, without alpha channel, grey as three equal channels.

    Args:
        **kwargs: Arguments of :class:`mmcv.transforms.LoadImageFromFile`.

    Raises:
        OSError: If the image cannot be read, or has one channel of more than
            8 bits, which Pillow would clip to white.
    """

    def __init__(self, **kwargs) -> None:
        # OpenCV fills what is missing of a truncated file with grey.
        super().__init__(imdecode_backend='pillow', **kwargs)

    def transform(self, results: dict) -> dict:
        """Loads ``img`` (H, W, 3), BGR uint8, from ``img_path``."""
        try:
            with Image.open(results['img_path']) as image:
                if image.mode[0] in 'IF':
                    raise ValueError('it has more than 8 bits per pixel, '
                                     'convert it')
            return super().transform(results)
        except Exception as error:
            raise OSError(
                f'Image {results["img_path"]} cannot be read ({error}): '
                'replace it or remove its id from the list.') from error


def read_image(path: str,
               size: Optional[Sequence[int]] = None,
               what: str = 'prediction') -> np.ndarray:
    """Reads an image by :class:`LoadImage`.

    Args:
        path (str): Image file.
        size (Sequence[int], optional): (H, W) of the maps that belong to it.
        what (str): What the maps are, for the message.

    Returns:
        np.ndarray: RGB (H, W, 3) uint8.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it has another size.
    """
    image = LoadImage()(dict(img_path=path))['img']
    if size is not None and image.shape[:2] != tuple(size):
        raise ValueError(f'Image {path} is not of the size of its {what}, '
                         f'{size[0]}x{size[1]}: replace it.')
    return np.ascontiguousarray(image[..., ::-1])
