# Copyright (c) mmktse authors. All rights reserved.
from .atomic import atomic_write, clear_partial_files
from .folder_lock import BusyError, folder_lock
from .hashing import file_sha256, json_sha256
from .paths import is_inside
from .sizes import shrink_factor
from .table import format_table
from .workers import TaskPool, share_of_cores, worker_pool

__all__ = [
    'BusyError', 'TaskPool', 'atomic_write', 'clear_partial_files',
    'file_sha256', 'folder_lock', 'format_table', 'is_inside', 'json_sha256',
    'share_of_cores', 'shrink_factor', 'worker_pool'
]
