# Copyright (c) mmktse authors. All rights reserved.
import pytest

from mmktse.datasets.image_files import ImageFiles, without_suffix


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'b').mkdir()
    for name in ('a.JPG', 'b/1.png', 'b/2.x.jpeg', 'b/._1.png', 'note.txt',
                 'twice.jpg', 'twice.png'):
        (tmp_path / name).touch()
    return tmp_path


def test_any_suffix(root):
    images = ImageFiles(str(root))
    assert images.find('a') == str(root / 'a.JPG')
    assert images.find('b/1') == str(root / 'b/1.png')
    assert images.find('b/2.x') == str(root / 'b/2.x.jpeg')
    assert images.ids('b') == ['b/1', 'b/2.x']
    assert images.ids() == ['a', 'twice'] and images.ids('c') == []
    for name in ('b', 'note', 'b/3', 'c/1', '1'):
        assert images.find(name) is None
    with pytest.raises(
            ValueError, match=r'twice\.jpg and twice\.png in .*same'):
        images.find('twice')


def test_one_suffix(root):
    images = ImageFiles(str(root), '.png')
    assert images.find('twice') == str(root / 'twice.png')
    assert images.find('a') is None and images.ids() == ['twice']


def test_without_suffix():
    assert [without_suffix(i) for i in ('a', 'b/1.jpg', 'c.PNG', 'v1.2')
            ] == ['a', 'b/1', 'c', 'v1.2']
