# ESOL on PASCAL VOC 2012: three trainings, the seeds of each measured on the
# 1,464 images of train, refinement by an IRN, DeepLabV2, figures on val.
#
#   PYTHONPATH=. python tools/run_pipeline.py \
#       projects/esol/configs/esol_pipeline_voc.py \
#       --cfg-options data_root=DIR gpus=1
_base_ = '../../../configs/pipelines/ktse_voc.py'

warm = 'projects/esol/configs/esol_r50_warm_voc.py'
expand = 'projects/esol/configs/esol_r50_expand_voc.py'
# Shrinkage: its maps are the seeds.
cam = 'projects/esol/configs/esol_r50_shrink_voc.py'
seg = 'projects/esol/configs/deeplabv2_r101-d8_1xb5-20k_voc12aug-321x321.py'
gpus = 1

_data = dict(data_root='{data_root}')
_seg_data = dict(_data, pseudo_label_dir='{irn_labels.work_dir}')
_refinement = ('seeds', 'ir_labels', 'irn', 'irn_labels', 'irn_labels_train')
stages = []
for _name, _config, _title, _before in [
    ('baseline', '{warm}', 'baseline CAM', None),
    ('warm', '{warm}', 'ESOL, before expansion', None),
    ('expand', '{expand}', 'ESOL, expansion', 'warm'),
    ('shrink', '{cam}', 'ESOL, shrinkage', 'expand')
]:
    _options = dict(_data)
    if _before:
        _options['load_from'] = f'{{{_before}.checkpoint}}'
    if _name == 'baseline':
        # A kernel that stays the identity is the plain CAM network.
        _options['model.head.train_kernel'] = False
    stages += [
        dict(
            name=_name,
            type='train',
            config=_config,
            gpus='{gpus}',
            total_batch=dict(train_dataloader=16),
            cfg_options=_options),
        dict(
            name=f'{_name}_train',
            title=_title,
            type='test',
            config=_config,
            checkpoint=f'{{{_name}.checkpoint}}',
            gpus='{gpus}',
            cfg_options=_data),
    ]
for _stage in _base_.stages:
    if _stage['name'] in _refinement:
        if _stage['name'] == 'seeds':
            _stage['checkpoint'] = '{shrink.checkpoint}'
        if _stage['name'] == 'ir_labels':
            # Background of the affinity labels, as in IRN's code.
            _stage['cfg_options']['pseudo_labels.ignore_threshold'] = 0.05
        if _stage['name'].startswith('irn_labels'):
            _stage['title'] = _stage['title'].replace('KTSE', 'ESOL')
        stages.append(_stage)
stages.append(
    dict(
        name='deeplabv2',
        title='DeepLabV2-R101',
        type='train',
        # In one process: its batch is small.
        config='{seg}',
        # Measured at the end, by the next stages.
        cfg_options=dict(
            _seg_data, val_dataloader=None, val_evaluator=None, val_cfg=None)))
for _words in [], ['--crf']:
    stages.append(
        dict(
            name='_'.join(['deeplabv2_val', *(w[2:] for w in _words)]),
            title='DeepLabV2-R101',
            type='test',
            config='{seg}',
            checkpoint='{deeplabv2.checkpoint}',
            gpus='{gpus}',
            args=['--tta', *_words],
            cfg_options=_seg_data))
