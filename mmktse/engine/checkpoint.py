# Copyright (c) mmktse authors. All rights reserved.
import zipfile
from pathlib import Path
from typing import Optional, Union


def latest_checkpoint(work_dir: Union[str, Path]) -> Optional[str]:
    """Newest complete checkpoint in a work directory.

    MMEngine removes an old checkpoint and writes the new one in place, and
    says in ``last_checkpoint`` what it wrote only afterwards. A run killed in
    between leaves a name without a file, or a torn file; both are passed
    over here.

    Args:
        work_dir (str | Path): Folder of a training.

    Returns:
        str | None: Path; None if there is no complete checkpoint.
    """
    files = sorted(
        Path(work_dir).glob('*.pth'),
        key=lambda file: file.stat().st_mtime_ns,
        reverse=True)
    # The zip directory is what torch.save writes last.
    return next((str(file) for file in files if zipfile.is_zipfile(file)),
                None)
