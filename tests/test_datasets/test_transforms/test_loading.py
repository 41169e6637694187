# Copyright (c) mmktse authors. All rights reserved.
import cv2
import numpy as np
import pytest
from PIL import Image

from mmktse.datasets.transforms import LoadImage, read_image


def test_loads_bgr(tmp_path):
    path = tmp_path / 'a.png'
    image = np.zeros((4, 6, 3), np.uint8)
    image[..., 0] = 200
    Image.fromarray(image).save(path)
    results = LoadImage()(dict(img_path=str(path)))
    assert results['ori_shape'] == results['img_shape'] == (4, 6)
    assert results['img'].dtype == np.uint8
    np.testing.assert_array_equal(results['img'], image[..., ::-1])


@pytest.mark.parametrize('content', ['truncated', 'text', 'missing'])
def test_bad_file_is_named(tmp_path, content):
    path = tmp_path / 'bad.jpg'
    if content == 'truncated':
        noise = np.random.default_rng(0).integers(
            0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:-2000])
    elif content == 'text':
        path.write_text('no image')
    with pytest.raises(OSError, match=r'bad\.jpg cannot be read .*replace it'):
        LoadImage()(dict(img_path=str(path)))


def save_kind(kind, path, pixels):
    """Stores an image in an unusual way; what is to be read of it, RGB."""
    image = Image.fromarray(pixels)
    if kind == 'CMYK':
        image = image.convert('CMYK')
    elif kind == 'grey':
        image = image.convert('L')
    elif kind == 'palette':
        image = image.quantize(8)
        image.save(path, transparency=bytes([0, 100] * 4))
        return image.convert('RGB')
    elif kind == 'alpha':
        image.putalpha(9)
    elif kind == 'turned':
        exif = Image.Exif()
        exif[0x112] = 6
        image.save(path, exif=exif)
        return image.transpose(Image.Transpose.ROTATE_270)
    elif kind == '16 bits':
        cv2.imwrite(str(path), pixels[..., ::-1].astype(np.uint16) * 257)
        return image
    image.save(path)
    return image.convert('RGB')


@pytest.mark.parametrize('kind, suffix', [
    ('CMYK', '.jpg'),
    ('grey', '.jpg'),
    ('palette', '.png'),
    ('alpha', '.png'),
    ('turned', '.JPG'),
    ('16 bits', '.png'),
])
@pytest.mark.parametrize('size', [(48, 32), (1, 1), (20, 1000)])
def test_all_read_the_same(tmp_path, kind, suffix, size):
    """Training and seeds, the refiners and the galleries."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*size, 3), np.uint8)
    pixels = cv2.blur(pixels, (9, 9))
    path = tmp_path / f'image{suffix}'
    want = np.array(save_kind(kind, path, pixels))
    got = LoadImage()(dict(img_path=str(path)))['img'][..., ::-1]
    assert got.shape == want.shape and got.dtype == np.uint8
    # JPEG changes a little.
    assert np.abs(got.astype(int) - want).mean() < 6
    np.testing.assert_array_equal(read_image(str(path), want.shape[:2]), got)


def test_image_of_another_size_is_named(tmp_path):
    path = str(tmp_path / 'image.png')
    Image.new('RGB', (16, 12)).save(path)
    assert read_image(path).shape == (12, 16, 3)
    with pytest.raises(ValueError, match='image.png is not of .* its seed'):
        read_image(path, (12, 15), 'seed')


@pytest.mark.parametrize('dtype', [np.uint16, np.int32, np.float32])
def test_deep_grey_image_is_refused(tmp_path, dtype):
    path = tmp_path / 'deep.tiff'
    Image.fromarray(np.full((4, 4), 300, dtype)).save(path)
    with pytest.raises(OSError, match='deep.tiff .*more than 8 bits'):
        LoadImage()(dict(img_path=str(path)))
