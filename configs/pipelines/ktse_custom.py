# A folder of images with tags in, masks out: KTSE, labels, a segmentation
# network, masks of all images. For any N classes, on a CPU.
#
#   python tools/run_pipeline.py configs/pipelines/ktse_custom.py \
#       --cfg-options data_root=DIR
#
# Where there are masks of ImageSets/val.txt the network is measured.
data_root = 'data/custom'
cam = 'configs/ktse/ktse_efficientnet-lite0_custom.py'
seg = 'configs/deeplabv2/deeplabv2_efficientnet-lite0_custom-224x224.py'
# Processes; batches keep their size.
gpus = 1

_data = dict(data_root='{data_root}')
_labels = dict(_data, pseudo_label_dir='{labels.work_dir}')
stages = [
    dict(
        name='check',
        type='command',
        argv=[
            '{python}', '{tools}/misc/verify_dataset.py', '{cam}',
            '--cfg-options', 'data_root={data_root}'
        ],
        outputs=[]),
    dict(
        name='check_val',
        type='command',
        argv=[
            '{python}', '{tools}/misc/verify_dataset.py', '{seg}',
            '--cfg-options', 'data_root={data_root}'
        ],
        only_if=[
            '{data_root}/ImageSets/val.txt', '{data_root}/SegmentationClass'
        ],
        outputs=[]),
    dict(
        name='ktse',
        type='train',
        config='{cam}',
        gpus='{gpus}',
        total_batch=dict(warmup_dataloader=8, train_dataloader=16),
        needs=['check'],
        cfg_options=_data),
    dict(
        name='labels',
        title='KTSE',
        type='pseudo_labels',
        config='{cam}',
        checkpoint='{ktse.checkpoint}',
        gpus='{gpus}',
        cfg_options=_data),
    dict(
        name='deeplabv2',
        title='DeepLabV2',
        type='train',
        config='{seg}',
        gpus='{gpus}',
        total_batch=dict(train_dataloader=16),
        # Measured at the end, by the next stage.
        cfg_options=dict(
            _labels, val_dataloader=None, val_evaluator=None, val_cfg=None)),
    dict(
        name='deeplabv2_val',
        title='DeepLabV2',
        type='test',
        config='{seg}',
        checkpoint='{deeplabv2.checkpoint}',
        gpus='{gpus}',
        args=['--tta'],
        only_if=[
            '{data_root}/ImageSets/val.txt', '{data_root}/SegmentationClass'
        ],
        cfg_options=_labels),
    dict(
        name='masks',
        type='command',
        argv=[
            '{python}', '{tools}/predict.py', '{seg}',
            '{deeplabv2.checkpoint}', '{data_root}/JPEGImages', '--out',
            '{masks.work_dir}', '--tta', '--cfg-options',
            'data_root={data_root}'
        ],
        outputs=['{masks.work_dir}/predictions.json']),
    dict(
        name='report',
        type='command',
        argv=[
            '{python}', '{tools}/analysis_tools/report.py', '{cam}',
            '{labels.work_dir}', '--out', '{work_dir}/report.html',
            '--cfg-options', 'data_root={data_root}'
        ],
        outputs=['{work_dir}/report.html']),
]
