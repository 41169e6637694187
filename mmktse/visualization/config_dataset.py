# Copyright (c) mmktse authors. All rights reserved.
from typing import Optional

from mmengine.registry import init_default_scope

from mmktse.engine.config import load_config
from mmktse.registry import DATASETS


def build_dataset(config: str,
                  cfg_options: Optional[dict] = None,
                  loader: str = 'test_dataloader'):
    """Build the data set of a config without its pipeline.

    Pages need paths and names only, so that nothing of the pipeline (image
    backends, augmentation) has to be there.

    Args:
        config (str): Config file of a CAM stage.
        cfg_options (dict, optional): As of ``--cfg-options``, for example
            ``dict(data_root=DIR)``.
        loader (str): Whose data set. Defaults to 'test_dataloader', the
            images that get seeds.

    Returns:
        ImageLevelDataset: Ready to use.
    """
    cfg = load_config(config, cfg_options)
    if cfg.get(loader) is None:
        raise ValueError(f'{config} has no {loader}.')
    init_default_scope(cfg.get('default_scope', 'mmktse'))
    return DATASETS.build({**cfg[loader].dataset, 'pipeline': []})
