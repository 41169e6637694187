# The paper on PASCAL VOC 2012: KTSE on ResNet38d, its seeds refined by an IRN,
# two DeepLabV2-R101 trained together (BECO), figures on val, the archive for
# the test server.
#
#   python tools/run_pipeline.py configs/pipelines/ktse_voc.py \
#       --cfg-options data_root=DIR gpus=2
data_root = 'data/VOCdevkit/VOC2012'
cam = 'configs/ktse/ktse_resnet38d_voc.py'
irn = 'configs/irn/irn_r50_voc.py'
seg = 'configs/beco/beco_deeplabv2_r101-d8_4xb4-100e_voc12aug-512x512.py'
# Processes; batches keep the published size.
gpus = 4

_data = dict(data_root='{data_root}')
_cam, _irn, _seg = '{cam}', '{irn}', '{seg}'
_lists = 'ImageSets/Segmentation'
_trainaug = {
    **_data, 'test_dataloader.dataset.id_file': f'{_lists}/trainaug.txt'
}
_irn_labels = {
    'pseudo_labels.threshold':
    0.25,
    'pseudo_labels.confidence_share':
    0.5,
    'pseudo_labels.refiner':
    dict(type='IRNRefiner', config=_irn, checkpoint='{irn.checkpoint}')
}
_seg_data = dict(_data, pseudo_label_dir='{irn_labels.work_dir}')
stages = [
    dict(
        name='ktse',
        type='train',
        config=_cam,
        gpus='{gpus}',
        total_batch=dict(warmup_dataloader=8, train_dataloader=16),
        cfg_options=_data),
    # The seeds as the paper measures them, on the 1,464 images of train.
    dict(
        name='ktse_train',
        title='KTSE',
        type='test',
        config=_cam,
        checkpoint='{ktse.checkpoint}',
        gpus='{gpus}',
        cfg_options=_data),
    # The seeds of trainaug as the IRN gets them; labels are made from them.
    dict(
        name='seeds',
        type='pseudo_labels',
        config=_cam,
        checkpoint='{ktse.checkpoint}',
        gpus='{gpus}',
        args=['--no-eval'],
        cfg_options={
            **_trainaug, 'model.test_cfg.merge': 'pairs',
            'pseudo_labels.refiner': None
        }),
    dict(
        name='ir_labels',
        type='pseudo_labels',
        config=_cam,
        from_seeds='{seeds.work_dir}',
        args=['--no-eval'],
        cfg_options={
            **_trainaug, 'pseudo_labels.threshold': 0.3,
            'pseudo_labels.ignore_threshold': 0.1,
            'pseudo_labels.refiner.type': 'LabelCRFRefiner'
        }),
    dict(
        name='irn',
        title='IRN',
        type='train',
        config=_irn,
        gpus='{gpus}',
        total_batch=dict(train_dataloader=32),
        cfg_options=dict(_data, pseudo_label_dir='{ir_labels.work_dir}')),
    dict(
        name='irn_labels',
        title='KTSE + IRN, trainaug',
        type='pseudo_labels',
        config=_cam,
        from_seeds='{seeds.work_dir}',
        args=['--no-eval'],
        cfg_options={
            **_trainaug,
            **_irn_labels
        }),
    # The same labels of train alone, to be measured.
    dict(
        name='irn_labels_train',
        title='KTSE + IRN',
        type='pseudo_labels',
        config=_cam,
        from_seeds='{seeds.work_dir}',
        show=['pseudo labels'],
        cfg_options={
            **_data,
            **_irn_labels
        }),
    dict(
        name='beco',
        title='BECO, DeepLabV2-R101',
        type='train',
        config=_seg,
        gpus='{gpus}',
        total_batch=dict(train_dataloader=16),
        cfg_options=_seg_data),
    dict(
        name='beco_val',
        title='BECO, DeepLabV2-R101',
        type='test',
        config=_seg,
        checkpoint='{beco.checkpoint}',
        gpus='{gpus}',
        args=['--tta'],
        cfg_options=_seg_data),
    dict(
        name='beco_val_crf',
        title='BECO, DeepLabV2-R101',
        type='test',
        config=_seg,
        checkpoint='{beco.checkpoint}',
        gpus='{gpus}',
        args=['--tta', '--crf'],
        cfg_options=_seg_data),
    dict(
        name='beco_test',
        type='command',
        argv=[
            '{python}', '{tools}/predict.py', _seg, '{beco.checkpoint}',
            '{data_root}/JPEGImages', '--ids',
            f'{{data_root}}/{_lists}/test.txt', '--out',
            '{beco_test.work_dir}', '--tta', '--crf', '--no-overlay'
        ],
        only_if=f'{{data_root}}/{_lists}/test.txt',
        outputs=['{beco_test.work_dir}/predictions.json']),
    dict(
        name='submission',
        type='command',
        argv=[
            '{python}', '{tools}/misc/make_voc_submission.py',
            '{beco_test.work_dir}', '--ids',
            f'{{data_root}}/{_lists}/test.txt', '--out',
            '{work_dir}/comp6_test_cls.tgz'
        ],
        outputs=['{work_dir}/comp6_test_cls.tgz']),
]
