default_scope = 'mmktse'
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    finite=dict(type='FiniteStepHook'),
    # Two, as the old one goes before the new one is written.
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'))
custom_hooks = [dict(type='EpochSeedHook')]
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='Visualizer', vis_backends=vis_backends)
# The statistics of maps and labels are averaged like the losses.
log_processor = dict(
    type='LogProcessor',
    window_size=50,
    by_epoch=True,
    mean_pattern=r'.*(loss|time|cam_|label_).*')
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)
