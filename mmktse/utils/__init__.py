# Copyright (c) mmktse authors. All rights reserved.
from .atomic import atomic_write, clear_partial_files
from .hashing import file_sha256, json_sha256
from .workers import TaskPool, share_of_cores, worker_pool

__all__ = [
    'TaskPool', 'atomic_write', 'clear_partial_files', 'file_sha256',
    'json_sha256', 'share_of_cores', 'worker_pool'
]
