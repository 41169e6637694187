# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import pytest

from mmktse.seeds import load_seed, save_seed


@pytest.mark.parametrize('classes, kind', [([3, 19], np.uint8),
                                           ([3, 300], np.uint16)])
def test_round_trip(tmp_path, classes, kind):
    path = tmp_path / 'a' / 'x.npz'
    cam = np.random.default_rng(0).random((2, 5, 7), np.float32)
    save_seed(path, cam, np.array(classes))
    loaded, loaded_classes = load_seed(path)
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, cam.astype(np.float16))
    assert loaded_classes.tolist() == classes
    with np.load(path) as raw:
        assert raw['classes'].dtype == kind
        assert raw['cam'].dtype == np.float16
        assert raw['size'].tolist() == [5, 7]


def test_image_without_class(tmp_path):
    save_seed(tmp_path / 'x.npz', np.zeros((0, 5, 7)), np.zeros(0, int))
    cam, classes = load_seed(tmp_path / 'x.npz')
    assert cam.shape == (0, 5, 7) and classes.shape == (0, )


def test_same_bytes_every_time(tmp_path):
    for name in 'ab':
        save_seed(tmp_path / name, np.ones((1, 5, 7)), np.array([2]))
    assert (tmp_path / 'a').read_bytes() == (tmp_path / 'b').read_bytes()


def test_bad_maps_are_refused(tmp_path):
    path = tmp_path / 'x.npz'
    with pytest.raises(ValueError, match='do not fit'):
        save_seed(path, np.ones((2, 5, 7)), np.array([2]))
    with pytest.raises(ValueError, match='NaN'):
        save_seed(path, np.full((1, 5, 7), np.nan), np.array([2]))
    assert not path.exists()


@pytest.mark.parametrize('content',
                         [b'', b'PK\x03\x04 half a file', b'some text'])
def test_broken_file_is_named(tmp_path, content):
    path = tmp_path / 'x.npz'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='x.npz is not a seed file'):
        load_seed(path)


def test_foreign_file_is_named(tmp_path):
    np.savez(tmp_path / 'x.npz', other=1)
    with pytest.raises(ValueError, match='x.npz is not a seed file'):
        load_seed(tmp_path / 'x.npz')
    np.savez(tmp_path / 'x.npz', cam=np.array([{}]), classes=[1], size=[5, 7])
    with pytest.raises(ValueError, match='x.npz is not a seed file'):
        load_seed(tmp_path / 'x.npz')  # a pickled object is not read
    np.savez(
        tmp_path / 'x.npz', cam=np.ones((1, 5, 7)), classes=[1], size=[7, 5])
    with pytest.raises(ValueError, match='x.npz is not a seed file'):
        load_seed(tmp_path / 'x.npz')


def test_missing_file_names_the_tool(tmp_path):
    with pytest.raises(FileNotFoundError, match='make_pseudo_labels'):
        load_seed(tmp_path / 'x.npz')
