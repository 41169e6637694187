# Copyright (c) mmktse authors. All rights reserved.
import math
import os
import struct
from typing import BinaryIO, Dict, Tuple

import numpy as np

_LIST_MAGIC = 0x112
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_DENSE = 0
# By MXNet's type flag: the place in this list.
_DTYPES = ('<f4', '<f8', '<f2', 'u1', '<i4', 'i1', '<i8')
# NumPy 1 can have no more.
_MAX_DIMS = 32


class _Reader:
    """Takes values off a file that may not be what it claims to be."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        self.file = file
        self.path = path
        self.left = os.fstat(file.fileno()).st_size

    def error(self,
              problem: str,
              remedy: str = 'fetch it again') -> ValueError:
        return ValueError(f'"{self.path}" cannot be read as an MXNet '
                          f'parameter file ({problem}): {remedy}.')

    def take(self, size: int) -> bytearray:
        # Before anything is allocated: a damaged size can be enormous.
        if size > self.left:
            raise self.error(f'{size} bytes should follow, only {self.left} '
                             'are left')
        self.left -= size
        return bytearray(self.file.read(size))

    def numbers(self, kind: str, count: int = 1) -> Tuple[int, ...]:
        layout = struct.Struct(f'<{count}{kind}')
        return layout.unpack(self.take(layout.size))

    def number(self, kind: str) -> int:
        return self.numbers(kind)[0]


def _read_shape(reader: _Reader) -> Tuple[int, ...]:
    magic = reader.number('I')
    kind, min_dims = 'q', 1
    if magic in (_V2, _V3):
        if reader.number('i') != _DENSE:
            raise reader.error(
                'an array in it is sparse',
                'save it from MXNet with dense arrays, .tostype("default")')
        # Elsewhere no dimensions mean no array, here they mean a scalar.
        min_dims = 0 if magic == _V3 else 1
    if magic in (_V1, _V2, _V3):
        num_dims = reader.number('i')
    else:
        # The oldest form has no magic: this was the number of dimensions.
        num_dims, kind = magic, 'I'
    if not min_dims <= num_dims <= _MAX_DIMS:
        raise reader.error(f'an array in it has {num_dims} dimensions')
    shape = reader.numbers(kind, num_dims)
    if any(size < 1 for size in shape):
        raise reader.error(f'an array in it has the shape {shape}')
    return shape


def _read_array(reader: _Reader) -> np.ndarray:
    shape = _read_shape(reader)
    reader.numbers('i', 2)  # the device it was on
    flag = reader.number('i')
    if not 0 <= flag < len(_DTYPES):
        raise reader.error(f'an array in it has the unknown type flag {flag}',
                           'fetch it again, or save it from MXNet as float32')
    dtype = np.dtype(_DTYPES[flag])
    data = reader.take(math.prod(shape) * dtype.itemsize)
    return np.frombuffer(data, dtype).reshape(shape)


def _read_name(reader: _Reader) -> str:
    try:
        return reader.take(reader.number('Q')).decode()
    except UnicodeDecodeError:
        raise reader.error('a name in it is no text') from None


def load_mxnet_params(path: str) -> Dict[str, np.ndarray]:
    """Reads an MXNet parameter file (``.params``) without MXNet.

    That is a list of named, dense arrays as ``mxnet.nd.save`` writes it, in
    any of its forms up to MXNet 2.

    Args:
        path (str): The file.

    Returns:
        dict: Names and arrays, in the order of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, not of this format, or holds
            sparse arrays or types other than float16, float32, float64, int8,
            uint8, int32 and int64.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f'MXNet parameter file "{path}" not found: '
                                'give the right path.')
    with open(path, 'rb') as file:
        reader = _Reader(file, path)
        if reader.number('Q') != _LIST_MAGIC:
            raise reader.error('it does not begin like one',
                               'give the .params file')
        reader.number('Q')  # reserved
        arrays = [_read_array(reader) for _ in range(reader.number('Q'))]
        num_names = reader.number('Q')
        if num_names != len(arrays):
            raise reader.error(
                f'{len(arrays)} arrays, but {num_names} names',
                'save it from MXNet with a name for each array')
        names = [_read_name(reader) for _ in arrays]
        if len(set(names)) != len(names):
            raise reader.error('two arrays have the same name')
        if reader.left:
            raise reader.error(f'{reader.left} bytes too many at its end')
    return dict(zip(names, arrays))
