# KTSE on six animal classes of VOC 2012, its seeds refined by an IRN. Given
# the --work-dir of voc12_animals.py it goes on from the seeds made there.
#
#   python tools/run_pipeline.py configs/pipelines/voc12_animals_irn.py \
#       --cfg-options data_root=DIR
_base_ = './voc12_animals.py'

_data = dict(data_root='{data_root}')
_cam = 'configs/ktse/ktse_efficientnet-lite0_custom.py'
_irn = 'configs/irn/irn_efficientnet-lite0_custom.py'
_seg = 'configs/deeplabv2/deeplabv2_efficientnet-lite0_custom-224x224.py'
_seeds = '{ktse_par.work_dir}'
stages = [s for s in _base_.stages if s['name'] in ('ktse', 'ktse_par')] + [
    dict(
        name='ir_labels',
        title='KTSE, labels to train the IRN',
        type='pseudo_labels',
        config=_cam,
        from_seeds=_seeds,
        show=['pseudo labels'],
        cfg_options={
            **_data, 'pseudo_labels.threshold': 0.3,
            'pseudo_labels.ignore_threshold': 0.1,
            'pseudo_labels.refiner.type': 'LabelCRFRefiner'
        }),
    dict(
        name='irn',
        type='train',
        config=_irn,
        cfg_options=dict(_data, pseudo_label_dir='{ir_labels.work_dir}')),
    dict(
        name='irn_labels',
        title='KTSE + IRN',
        type='pseudo_labels',
        config=_cam,
        from_seeds=_seeds,
        show=['pseudo labels'],
        cfg_options={
            **_data, 'pseudo_labels.threshold':
            0.25,
            'pseudo_labels.confidence_share':
            0.5,
            'pseudo_labels.refiner':
            dict(
                type='IRNRefiner', config=_irn, checkpoint='{irn.checkpoint}')
        }),
    dict(
        name='irn_deeplabv2',
        type='train',
        config=_seg,
        cfg_options={
            **_data, 'pseudo_label_dir': '{irn_labels.work_dir}',
            'param_scheduler.0.end': 3,
            'train_cfg.max_epochs': 3,
            'train_cfg.val_interval': 3
        }),
    dict(
        name='irn_deeplabv2_val',
        title='DeepLabV2 on KTSE + IRN',
        type='test',
        config=_seg,
        checkpoint='{irn_deeplabv2.checkpoint}',
        cfg_options=dict(_data, pseudo_label_dir='{irn_labels.work_dir}')),
]
