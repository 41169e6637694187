# The published losses with momentum, a decay to zero and guarded labels, in
# bfloat16. The margins, weights and the one rate for all layers stay.
_base_ = './ktse_resnet38d_voc.py'

model = dict(labeler=dict(keep_empty=False, truncate_image=False))
optim_wrapper = dict(
    type='AmpOptimWrapper',
    dtype='bfloat16',
    # bfloat16 has the range of float32: nothing to scale.
    loss_scale=dict(enabled=False),
    # 0.001 / (1 - 0.9) is the published step length.
    optimizer=dict(lr=0.001, momentum=0.9))
# Down to zero in the 33,050 steps that are run.
param_scheduler = dict(end=33051)
test_evaluator = dict(thresholds=None, absent_as_zero=False)
