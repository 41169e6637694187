# Copyright (c) mmktse authors. All rights reserved.
# Runtime of the segmentation stage: stock mmseg, our parts by "mmktse.".
default_scope = 'mmseg'
custom_imports = dict(
    imports=['mmktse.models', 'mmktse.datasets', 'mmktse.evaluation'],
    allow_failed_imports=False)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(
    type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
# The interval of the logger: means are over the steps since the last line.
log_processor = dict(window_size=50, by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
tta_model = dict(type='mmktse.MeanSegTTAModel')
# What --crf refines predictions by; the values of BECO.
crf = dict(
    type='mmktse.DenseCRFRefiner',
    num_iters=10,
    gaussian_sxy=1,
    gaussian_compat=3,
    bilateral_sxy=67,
    bilateral_srgb=3,
    bilateral_compat=4)
