# ESOL on a folder of images with tags, on a CPU: three trainings, seeds,
# refinement by an IRN (extra "crf"), DeepLabV2, masks of all images.
#
#   PYTHONPATH=. python tools/run_pipeline.py \
#       projects/esol/configs/esol_pipeline_custom.py \
#       --cfg-options data_root=DIR
#
# Where there are masks of the training images the seeds of every stage are
# measured.
_base_ = '../../../configs/pipelines/ktse_irn_custom.py'

baseline = 'configs/cam/cam_efficientnet-lite0_custom.py'
warm = 'projects/esol/configs/esol_efficientnet-lite0_warm_custom.py'
expand = 'projects/esol/configs/esol_efficientnet-lite0_expand_custom.py'
# Shrinkage: its maps are the seeds.
cam = 'projects/esol/configs/esol_efficientnet-lite0_shrink_custom.py'
# Background of the affinity labels, as in IRN's code.
ir_ignore_threshold = 0.05

_data = dict(data_root='{data_root}')
_before = dict(expand='{warm.checkpoint}', shrink='{expand.checkpoint}')
_train = []
for _name, _config, _title in [
    ('baseline', '{baseline}', 'baseline CAM'),
    ('warm', '{warm}', 'ESOL, before expansion'),
    ('expand', '{expand}', 'ESOL, expansion'),
    ('shrink', '{cam}', None),
]:
    _options = dict(_data)
    if _name in _before:
        _options['load_from'] = _before[_name]
    _train.append(
        dict(
            name=_name,
            type='train',
            config=_config,
            gpus='{gpus}',
            total_batch=dict(
                train_dataloader=16,
                **({} if _name in _before else dict(warmup_dataloader=8))),
            needs=['check'],
            cfg_options=_options))
    if _name == 'baseline':
        # A comparison, of use with masks alone.
        _train[-1]['only_if'] = '{data_root}/SegmentationClass'
    if _name != 'shrink':
        _train.append(
            dict(
                name=f'{_name}_seeds',
                title=_title,
                type='pseudo_labels',
                config=_config,
                checkpoint=f'{{{_name}.checkpoint}}',
                gpus='{gpus}',
                show=['seed'],
                only_if='{data_root}/SegmentationClass',
                cfg_options={
                    **_data, 'pseudo_labels.refiner': None
                }))
stages = []
for _stage in _base_.stages:
    if _stage['name'] == 'ktse':
        stages += _train
        continue
    if _stage['name'] == 'seeds':
        _stage.update(
            title='ESOL, shrinkage', checkpoint='{shrink.checkpoint}')
    elif _stage['name'] == 'labels':
        _stage['title'] = 'ESOL + IRN'
    stages.append(_stage)
