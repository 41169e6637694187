# A folder of images with tags in, masks out: ECS-Net-style training, seeds,
# refinement with IRN, DeepLabV2. For any N classes, on a CPU.
#
#   python tools/run_pipeline.py \
#       projects/ecsnet/configs/ecsnet_pipeline_custom.py \
#       --cfg-options data_root=DIR
_base_ = '../../../configs/pipelines/ktse_irn_custom.py'

cam = 'projects/ecsnet/configs/ecsnet_efficientnet-lite0_custom.py'

stages = _base_.stages
for _stage in stages:
    if _stage['name'] == 'ktse':
        _stage['name'] = 'ecsnet'
    elif _stage['name'] == 'seeds':
        _stage['checkpoint'] = '{ecsnet.checkpoint}'
    if 'title' in _stage:
        _stage['title'] = _stage['title'].replace('KTSE', 'ECS-Net-style')
