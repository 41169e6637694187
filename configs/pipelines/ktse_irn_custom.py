# The pipeline of ktse_custom.py with the seeds refined by an IRN; needs the
# extra "crf".
#
#   python tools/run_pipeline.py configs/pipelines/ktse_irn_custom.py \
#       --cfg-options data_root=DIR
_base_ = './ktse_custom.py'

irn = 'configs/irn/irn_efficientnet-lite0_custom.py'
# What exceeds the first is foreground for the IRN's training, what is below
# the second background; the second as published is 0.05.
ir_threshold = 0.3
ir_ignore_threshold = 0.1
# Background score of the labels that the IRN gives, as published.
irn_threshold = 0.25

_data = dict(data_root='{data_root}')
_irn = [
    # Confident foreground and background, between them ignored.
    dict(
        name='ir_labels',
        type='pseudo_labels',
        config='{cam}',
        from_seeds='{seeds.work_dir}',
        args=['--no-eval'],
        cfg_options={
            **_data, 'pseudo_labels.threshold': '{ir_threshold}',
            'pseudo_labels.ignore_threshold': '{ir_ignore_threshold}',
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
        title='KTSE + IRN',
        type='pseudo_labels',
        config='{cam}',
        from_seeds='{seeds.work_dir}',
        show=['pseudo labels'],
        args=['--threshold', '{irn_threshold}'],
        cfg_options={
            **_data, 'pseudo_labels.refiner':
            dict(
                type='IRNRefiner',
                config='{irn}',
                checkpoint='{irn.checkpoint}')
        }),
]
stages = []
for _stage in _base_.stages:
    if _stage['name'] == 'labels':
        _stage.update(name='seeds', show=['seed'])
        _stage['cfg_options']['pseudo_labels.refiner'] = None
        stages += [_stage, *_irn]
    else:
        stages.append(_stage)
