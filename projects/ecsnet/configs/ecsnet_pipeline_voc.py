# VOC 2012: ECS-Net-style training, seeds, refinement with IRN, DeepLabV2,
# figures on val.
#
#   python tools/run_pipeline.py \
#       projects/ecsnet/configs/ecsnet_pipeline_voc.py \
#       --cfg-options data_root=DIR gpus=2
_base_ = '../../../configs/pipelines/ktse_voc.py'

cam = 'projects/ecsnet/configs/ecsnet_resnet38d_voc.py'
_folder = 'configs/deeplabv2'
seg = f'{_folder}/deeplabv2_r101-d8_4xb4-20k_voc12aug-512x512-pseudo.py'

# All stages before the last network, under their own names.
stages = [
    s for s in _base_.stages if not s['name'].startswith(('beco', 'sub'))
]
for _stage in stages:
    _stage['name'] = _stage['name'].replace('ktse', 'ecsnet')
    if 'title' in _stage:
        _stage['title'] = _stage['title'].replace('KTSE', 'ECS-Net-style')
    if _stage.get('checkpoint') == '{ktse.checkpoint}':
        _stage['checkpoint'] = '{ecsnet.checkpoint}'
    if _stage['name'] == 'ecsnet':
        _stage['total_batch'] = dict(train_dataloader=8)
_labels = dict(
    data_root='{data_root}', pseudo_label_dir='{irn_labels.work_dir}')
stages += [
    dict(
        name='deeplabv2',
        type='train',
        config='{seg}',
        gpus='{gpus}',
        total_batch=dict(train_dataloader=16),
        cfg_options=_labels),
    dict(
        name='deeplabv2_val',
        title='DeepLabV2-R101',
        type='test',
        config='{seg}',
        checkpoint='{deeplabv2.checkpoint}',
        gpus='{gpus}',
        args=['--tta'],
        cfg_options=_labels),
    dict(
        name='deeplabv2_val_crf',
        title='DeepLabV2-R101',
        type='test',
        config='{seg}',
        checkpoint='{deeplabv2.checkpoint}',
        gpus='{gpus}',
        args=['--tta', '--crf'],
        cfg_options=_labels),
]
