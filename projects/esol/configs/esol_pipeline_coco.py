# ESOL on MS COCO 2014: as esol_pipeline_voc.py.
#
#   PYTHONPATH=. python tools/run_pipeline.py \
#       projects/esol/configs/esol_pipeline_coco.py \
#       --cfg-options data_root=DIR gpus=1
_base_ = '../../../configs/pipelines/ktse_coco.py'

warm = 'projects/esol/configs/esol_r50_warm_coco.py'
expand = 'projects/esol/configs/esol_r50_expand_coco.py'
# Shrinkage: its maps are the seeds.
cam = 'projects/esol/configs/esol_r50_shrink_coco.py'
seg = 'projects/esol/configs/deeplabv2_r101-d8_1xb10-100k_coco14-321x321.py'
gpus = 1

_data = dict(data_root='{data_root}')
_seg_data = dict(_data, pseudo_label_dir='{irn_labels.work_dir}')
_masks = ('masks_train', 'masks_val')
_refinement = ('seeds', 'ir_labels', 'irn', 'irn_labels')
stages = [s for s in _base_.stages if s['name'] in _masks]
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
    stages.append(
        dict(
            name=_name,
            type='train',
            config=_config,
            gpus='{gpus}',
            total_batch=dict(train_dataloader=16),
            cfg_options=_options))
    # Those of the shrinkage are measured as the IRN gets them.
    if _name != 'shrink':
        stages.append(
            dict(
                name=f'{_name}_train',
                title=_title,
                type='test',
                config=_config,
                checkpoint=f'{{{_name}.checkpoint}}',
                needs=['masks_train'],
                gpus='{gpus}',
                cfg_options=_data))
for _stage in _base_.stages:
    if _stage['name'] in _refinement:
        if _stage['name'] == 'seeds':
            _stage['checkpoint'] = '{shrink.checkpoint}'
            _stage['title'] = 'ESOL, shrinkage'
        if _stage['name'] == 'ir_labels':
            # Background of the affinity labels, as in IRN's code.
            _stage['cfg_options']['pseudo_labels.ignore_threshold'] = 0.05
        if _stage['name'] == 'irn_labels':
            _stage['title'] = 'ESOL + IRN'
        stages.append(_stage)
stages.append(
    dict(
        name='deeplabv2',
        title='DeepLabV2-R101',
        type='train',
        # In one process: its batch is small.
        config='{seg}',
        needs=['masks_val'],
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
