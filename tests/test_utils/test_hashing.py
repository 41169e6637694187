# Copyright (c) mmktse authors. All rights reserved.
import hashlib

from mmktse.utils import file_sha256, json_sha256


def test_file_sha256(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'x' * (3 << 20))
    assert file_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_json_sha256_sees_values_but_not_order():
    assert json_sha256(dict(a=1, b=(2, ))) == json_sha256(dict(b=[2], a=1))
    assert json_sha256(dict(a=1)) != json_sha256(dict(a=2))
