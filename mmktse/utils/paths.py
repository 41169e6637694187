# Copyright (c) mmktse authors. All rights reserved.
import os.path as osp


def is_inside(img_id: str) -> bool:
    """Whether an id stays in the folders that it is joined to."""
    return not osp.isabs(img_id) and '..' not in img_id.split('/')
