# Copyright (c) mmktse authors. All rights reserved.
import pytest

from mmktse.datasets.image_folder import (ImageFolderDataset, find_images,
                                          image_root)


@pytest.fixture
def folder(tmp_path):
    for name in ('b.JPG', 'a.png', 'sub/a.jpeg', 'sub/c.d.TIFF', 'notes.txt',
                 '._a.jpg', '.cache/a.jpg'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b'')
    (tmp_path / 'folder.jpg').mkdir()
    return tmp_path


def test_any_suffix_and_subfolders(folder):
    images = find_images(folder)
    assert list(images) == ['a', 'b', 'sub/a', 'sub/c.d']
    assert images['sub/c.d'] == str(folder / 'sub' / 'c.d.TIFF')
    assert image_root(folder) == folder


def test_single_image(folder):
    path = folder / 'sub' / 'a.jpeg'
    assert find_images(path) == {'a': str(path)}
    assert image_root(path) == folder / 'sub'


def test_ids_select_and_order(folder):
    assert list(find_images(folder, ['sub/a', 'b'])) == ['sub/a', 'b']
    with pytest.raises(FileNotFoundError, match='2 of 3 ids .*: b.JPG, x.'):
        find_images(folder, ['a', 'b.JPG', 'x'])


def test_bad_folders(folder):
    with pytest.raises(FileNotFoundError, match='no folder or image'):
        find_images(folder / 'nowhere')
    for name in ('folder.jpg', 'notes.txt'):
        with pytest.raises(FileNotFoundError, match='holds no image'):
            find_images(folder / name)
    (folder / 'a.webp').write_bytes(b'')
    with pytest.raises(ValueError, match='a.png and .*a.webp would have'):
        find_images(folder)


def test_dataset(folder):
    meta = dict(classes=['background', 'cat'], palette=[[0] * 3, [9] * 3])
    dataset = ImageFolderDataset(
        str(folder), ids=['b', 'sub/a'], metainfo=meta, test_mode=True)
    assert dataset.metainfo['classes'] == meta['classes']
    assert dataset[0] == dict(
        img_id='b', img_path=str(folder / 'b.JPG'), sample_idx=0)
    assert len(dataset) == 2
