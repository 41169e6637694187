# Copyright (c) mmktse authors. All rights reserved.
import struct

import numpy as np
import pytest

from mmktse.models.converters import load_mxnet_params

V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
FORMS = [None, V1, V2, V3]
FLAGS = dict(
    float32=0, float64=1, float16=2, uint8=3, int32=4, int8=5, int64=6)


def array_bytes(array, form, stype=0, flag=None, shape=None):
    """One array; ``shape`` and ``flag`` can claim what is not so."""
    shape = array.shape if shape is None else shape
    out = b'' if form is None else struct.pack('<I', form)
    if form in (V2, V3):
        out += struct.pack('<i', stype)
    out += struct.pack('<i', len(shape))
    out += struct.pack(f'<{len(shape)}{"I" if form is None else "q"}', *shape)
    flag = FLAGS[array.dtype.name] if flag is None else flag
    # The device does not matter: here the third GPU.
    return out + struct.pack('<3i', 2, 3, flag) + array.tobytes()


def file_bytes(arrays, names, magic=0x112, num_arrays=None):
    """A file of encoded arrays and of names."""
    out = struct.pack('<3Q', magic, 0,
                      len(arrays) if num_arrays is None else num_arrays)
    out += b''.join(arrays) + struct.pack('<Q', len(names))
    for name in names:
        out += struct.pack('<Q', len(name.encode())) + name.encode()
    return out


@pytest.fixture
def load(tmp_path):
    """Reads bytes as a file."""

    def read(content):
        path = tmp_path / 'net.params'
        path.write_bytes(content)
        return load_mxnet_params(str(path))

    return read


@pytest.fixture
def refused(load):
    """Asserts that a file is refused with one sentence that names it."""

    def check(content, match):
        with pytest.raises(ValueError, match=match) as caught:
            load(content)
        message = str(caught.value)
        assert 'net.params" cannot be read' in message
        assert message.endswith('.') and '\n' not in message

    return check


@pytest.mark.parametrize('form', FORMS)
def test_every_type_and_shape(load, form):
    arrays = {
        f'arg:{kind}': (np.arange(24) - 12).astype(kind).reshape(shape)
        for kind, shape in zip(FLAGS, [(24, ), (4, 6), (2, 3, 4), (
            2, 3, 2, 2), (1, 24), (24, 1), (1, 1, 24, 1)])
    }
    arrays['aux:größe'] = np.float32([np.pi])
    got = load(
        file_bytes([array_bytes(x, form) for x in arrays.values()], arrays))
    assert list(got) == list(arrays)
    for name, array in arrays.items():
        assert got[name].dtype == array.dtype, name
        assert got[name].flags.writeable
        np.testing.assert_array_equal(got[name], array, strict=True)


def test_forms_may_be_mixed(load):
    arrays = [np.float32([[i, 2], [3, 4]]) for i in range(len(FORMS))]
    got = load(
        file_bytes([array_bytes(x, form) for x, form in zip(arrays, FORMS)],
                   'abcd'))
    for name, array in zip('abcd', arrays):
        np.testing.assert_array_equal(got[name], array)


def test_scalars_of_the_third_version(load):
    got = load(file_bytes([array_bytes(np.float32(3), V3)], 'a'))
    assert got['a'].shape == () and got['a'] == 3


def test_a_list_without_arrays(load):
    assert load(file_bytes([], [])) == {}


def test_absent_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='absent.params.*right path'):
        load_mxnet_params(str(tmp_path / 'absent.params'))


@pytest.mark.parametrize('form', FORMS)
def test_a_file_cut_anywhere_is_refused(refused, form):
    arrays = [array_bytes(np.ones((2, 3), np.float32), form)] * 2
    content = file_bytes(arrays, ['arg:a', 'arg:b'])
    for size in range(len(content)):
        refused(content[:size], 'fetch it again')


ONE = np.ones(3, np.float32)
SPARSE = array_bytes(ONE, V2, stype=1)


@pytest.mark.parametrize(
    'content, match', [
        (b'PK\x03\x04' + bytes(100),
         'does not begin like one.*give the .params'),
        (file_bytes([array_bytes(ONE, V2)], 'a',
                    magic=0x113), 'does not begin'),
        (file_bytes([array_bytes(ONE, V2)], 'a') + b'\0', '1 bytes too many'),
        (file_bytes([SPARSE], 'a'), 'sparse.*dense'),
        (file_bytes([array_bytes(ONE, V3, stype=-1)], 'a'), 'sparse.*dense'),
        (file_bytes([array_bytes(ONE, V2, flag=7)],
                    'a'), 'type flag 7.*float32'),
        (file_bytes([array_bytes(ONE, None, flag=-1)], 'a'), 'type flag -1'),
        (file_bytes([array_bytes(ONE, V2)], 'ab'), '1 arrays, but 2 names'),
        (file_bytes([array_bytes(ONE, V2)], []), '1 arrays, but 0 names'),
        (file_bytes([array_bytes(ONE, V2)] * 2, 'aa'), 'the same name'),
        (file_bytes([array_bytes(ONE, V2)], 'a')[:-1] + b'\xff', 'no text'),
        (file_bytes([struct.pack('<I', 0)], 'a'), ' 0 dimensions'),
        (file_bytes([struct.pack('<2I', V1, 0)], 'a'), ' 0 dimensions'),
        (file_bytes([struct.pack('<IiI', V2, 0, 0)], 'a'), ' 0 dimensions'),
        (file_bytes([struct.pack('<Iii', V3, 0, -1)], 'a'), ' -1 dimensions'),
        (file_bytes([struct.pack('<I', 0xF993FACB)], 'a'), ' 4187224779 dim'),
        (file_bytes([struct.pack('<Iii', V2, 0, 2**31 - 1)],
                    'a'), 'dimensions'),
        (file_bytes([array_bytes(ONE, V2, shape=(3, 0))],
                    'a'), r'shape \(3, 0'),
        (file_bytes([array_bytes(ONE, V1, shape=(-3, -1))],
                    'a'), r'shape \(-3'),
    ],
    ids=lambda x: x if isinstance(x, str) else '')
def test_foreign_and_damaged_files(refused, content, match):
    refused(content, match)


@pytest.mark.parametrize('content', [
    file_bytes([array_bytes(ONE, V2, shape=(2**40, ))], 'a'),
    file_bytes([array_bytes(ONE, V2, shape=(2**32, 2**32))], 'a'),
    file_bytes([array_bytes(ONE, V2, shape=(2**62, ) * 32)], 'a'),
    file_bytes([array_bytes(ONE, None, shape=(2**32 - 1, ) * 4)], 'a'),
    file_bytes([array_bytes(ONE, V2)], 'a', num_arrays=2**64 - 1),
    file_bytes([array_bytes(ONE, V2)], [])[:-8] +
    struct.pack('<2Q', 1, 2**63) + b'a',
])
def test_sizes_beyond_the_file_allocate_nothing(refused, content):
    """Products of sizes that wrap around in 64 bits are among them."""
    refused(content, 'fetch it again')
