# Copyright (c) mmktse authors. All rights reserved.
import hashlib
import json
from pathlib import Path
from typing import Any, Union


def file_sha256(path: Union[str, Path]) -> str:
    """SHA-256 of a file, as ``sha256sum`` prints it."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def json_sha256(value: Any) -> str:
    """SHA-256 of a value made of dicts, lists and scalars.

    The order of dict keys does not matter; what JSON does not know (a class
    in a Python config) enters by its text.
    """
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
