# The pipeline of one's own images, so small that a stage is little more than
# its start.
_base_ = '../../configs/pipelines/ktse_custom.py'

_small = {'model.backbone.init_cfg': None, 'train_dataloader.num_workers': 1}
_options = dict(
    ktse={
        **_small, 'warmup_dataloader.num_workers': 0,
        'warmup_dataloader.dataset.pipeline.3.crop_size': 64,
        'train_dataloader.dataset.dataset.pipeline.3.crop_size': 64,
        'train_cfg.warmup_epochs': 1,
        'train_cfg.max_epochs': 3,
        'default_hooks.logger.interval': 1
    },
    labels={
        'test_dataloader.num_workers': 0,
        'pseudo_labels.num_workers': 1
    },
    deeplabv2={
        **_small, 'train_cfg.max_epochs': 3,
        'param_scheduler.0.end': 3,
        'train_dataloader.dataset.pipeline.3.crop_size': (64, 64),
        'model.data_preprocessor.size': (64, 64)
    },
    deeplabv2_val={'test_dataloader.num_workers': 1})
stages = _base_.stages
for _stage in stages:
    if _stage['name'] in _options:
        _stage['cfg_options'].update(_options[_stage['name']])
    if _stage['type'] == 'train':
        _stage['total_batch'] = {loader: 2 for loader in _stage['total_batch']}
