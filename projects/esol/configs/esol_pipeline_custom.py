# ESOL on a folder of images with tags, on a CPU: three trainings, seeds,
# refinement by an IRN (extra "crf"), DeepLabV2, masks of all images.
#
#   PYTHONPATH=. python tools/run_pipeline.py \
#       projects/esol/configs/esol_pipeline_custom.py \
#       --cfg-options data_root=DIR
#
# Where there are masks of the training images the seeds of every stage are
# measured.
_base_ = '../../../configs/pipelines/ktse_custom.py'

baseline = 'configs/cam/cam_efficientnet-lite0_custom.py'
warm = 'projects/esol/configs/esol_efficientnet-lite0_warm_custom.py'
expand = 'projects/esol/configs/esol_efficientnet-lite0_expand_custom.py'
# Shrinkage: its maps are the seeds.
cam = 'projects/esol/configs/esol_efficientnet-lite0_shrink_custom.py'
irn = 'configs/irn/irn_efficientnet-lite0_custom.py'

_data = dict(data_root='{data_root}')
_before = dict(expand='{warm.checkpoint}', shrink='{expand.checkpoint}')
_train = []
for _name, _config, _title in [
    ('baseline', '{baseline}', 'baseline CAM'),
    ('warm', '{warm}', 'ESOL, before expansion'),
    ('expand', '{expand}', 'ESOL, expansion'),
    ('shrink', '{cam}', 'ESOL, shrinkage'),
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
    _seeds = dict(
        name='seeds' if _name == 'shrink' else f'{_name}_seeds',
        title=_title,
        type='pseudo_labels',
        config=_config,
        checkpoint=f'{{{_name}.checkpoint}}',
        gpus='{gpus}',
        show=['seed'],
        cfg_options={
            **_data, 'pseudo_labels.refiner': None
        })
    if _name == 'baseline':
        # A comparison, of use with masks alone.
        _train[-1]['only_if'] = '{data_root}/SegmentationClass'
    if _name != 'shrink':
        _seeds['only_if'] = '{data_root}/SegmentationClass'
    _train.append(_seeds)
_refinement = [
    dict(
        name='ir_labels',
        type='pseudo_labels',
        config='{cam}',
        from_seeds='{seeds.work_dir}',
        args=['--no-eval'],
        cfg_options={
            **_data, 'pseudo_labels.threshold': 0.3,
            'pseudo_labels.ignore_threshold': 0.05,
            'pseudo_labels.refiner.type': 'LabelCRFRefiner'
        }),
    dict(
        name='irn',
        title='IRN',
        type='train',
        config='{irn}',
        gpus='{gpus}',
        total_batch=dict(train_dataloader=16),
        cfg_options=dict(_data, pseudo_label_dir='{ir_labels.work_dir}')),
    dict(
        name='labels',
        title='ESOL + IRN',
        type='pseudo_labels',
        config='{cam}',
        from_seeds='{seeds.work_dir}',
        show=['pseudo labels'],
        cfg_options={
            **_data, 'pseudo_labels.threshold':
            0.25,
            'pseudo_labels.refiner':
            dict(
                type='IRNRefiner',
                config='{irn}',
                checkpoint='{irn.checkpoint}')
        }),
]
stages = []
for _stage in _base_.stages:
    if _stage['name'] == 'ktse':
        stages += _train
    elif _stage['name'] == 'labels':
        stages += _refinement
    else:
        stages.append(_stage)
