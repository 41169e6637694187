# Copyright (c) mmktse authors. All rights reserved.
import io
import os
import os.path as osp
import pickle
import runpy
import sys

import numpy as np
import pytest
from numpy.lib import format as npy_format

from mmktse.datasets.image_labels import read_labels
from mmktse.datasets.voc import VOC_CLASSES

SCRIPT = osp.join(
    osp.dirname(__file__),
    '../../../tools/dataset_converters/cls_labels_npy_to_labels.py')
TOOL = runpy.run_path(SCRIPT)


def vector(*classes, length=20):
    label = np.zeros(length, np.float32)
    label[list(classes)] = 1
    return label


def save(path, value, protocol=4):
    """Writes as ``np.save`` does, with a chosen protocol of pickle."""
    array = np.empty((), object)
    array[()] = value
    with open(path, 'wb') as file:
        npy_format.write_array_header_1_0(
            file, dict(descr='|O', fortran_order=False, shape=()))
        pickle.dump(array, file, protocol=protocol)
    return str(path)


def run(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', ['tool', *map(str, args)])
    runpy.run_path(SCRIPT, run_name='__main__')


def test_numpy_file(tmp_path, monkeypatch):
    np.save(
        tmp_path / 'cls_labels.npy', {
            '2007_000032': vector(0, 14),
            '2007_000027': vector(14),
            'nothing': vector()
        })
    out = tmp_path / 'labels.txt'
    run(monkeypatch, tmp_path / 'cls_labels.npy', out)
    labels, problems = read_labels(str(out))
    assert not problems
    assert {
        k: v.tags
        for k, v in labels.items()
    } == {
        '2007_000032': [VOC_CLASSES[0], 'person'],
        '2007_000027': ['person']
    }


@pytest.mark.parametrize('protocol', range(5))
def test_all_protocols(tmp_path, protocol):
    content = {'a': vector(3), 'b': vector(0, 19)}
    loaded = TOOL['load_dict'](save(tmp_path / 'l.npy', content, protocol))
    assert TOOL['to_labels'](loaded, 20) == dict(a=[3], b=[0, 19])


def test_python_2_file(tmp_path):
    # Module names of NumPy 1 and strings as bytes, as Python 2 wrote them.
    # The 255 tells whether bytes beyond ASCII survive.
    header = b"(dp0\nS'a'\np1\n"
    body = (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\n"
            b"tS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n(S'u1'\nI0\nI1\ntR"
            b"(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x00\\xff'\ntb")
    path = tmp_path / 'l.npy'
    with open(path, 'wb') as file:
        npy_format.write_array_header_1_0(
            file, dict(descr='|O', fortran_order=False, shape=()))
        outer = (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
                 b"(I0\ntS'b'\ntR(I1\n(tcnumpy\ndtype\n(S'O8'\nI0\nI1\ntR"
                 b"(I3\nS'|'\nNNNI-1\nI-1\nI63\ntbI00\n(l")
        file.write(outer + header + body + b's' + b'atb.')
    assert TOOL['load_dict'](str(path))['a'].tolist() == [0, 255]


class Attack:

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('function', [os.mkdir, eval, getattr, np.load])
def test_nothing_is_run(tmp_path, function):
    mark = tmp_path / 'mark'
    args = {
        os.mkdir: (str(mark), ),
        eval: (f'__import__("os").mkdir({str(mark)!r})', ),
        getattr: (dict, 'fromkeys'),
        np.load: (str(mark), )
    }[function]
    path = save(tmp_path / 'l.npy', {'a': Attack(function, *args)})
    with pytest.raises(ValueError, match=r'l\.npy is not .*it refers to'):
        TOOL['load_dict'](path)
    assert not mark.exists()


def test_allowed_names_are_harmless():
    allowed = TOOL['ArrayUnpickler'].ALLOWED
    assert {name
            for name, _ in allowed
            } == {'_reconstruct', 'ndarray', 'dtype', 'encode'}
    with pytest.raises(pickle.UnpicklingError, match=r'numpy\.frombuffer'):
        TOOL['ArrayUnpickler'](io.BytesIO()).find_class('numpy', 'frombuffer')


def test_other_files(tmp_path):
    path = tmp_path / 'l.npy'
    for value in (np.zeros(3), np.array([{}], object), np.array('a')):
        np.save(path, value)
        if value.dtype == object:
            assert TOOL['load_dict'](str(path)) == {}
            continue
        with pytest.raises(ValueError, match='it is an array of'):
            TOOL['load_dict'](str(path))
    with pytest.raises(ValueError, match='it holds a list'):
        TOOL['load_dict'](save(path, [1]))
    path.write_bytes(b'no array')
    with pytest.raises(ValueError, match=r'l\.npy is not a dict'):
        TOOL['load_dict'](str(path))


def test_bad_vectors():
    for label in (vector(length=21), vector(3) * .5, 'cat'):
        with pytest.raises(ValueError, match='label of a must be 20 values'):
            TOOL['to_labels'](dict(a=label), 20)


def test_numbers_as_keys():
    labels = TOOL['to_labels']({9: vector(1)}, 20, 'COCO_train2014_{:012d}')
    assert labels == {'COCO_train2014_000000000009': [1]}
    labels = TOOL['to_labels']({2007000032: vector(0, 14)}, 20)
    assert labels == {'2007_000032': [0, 14]}
