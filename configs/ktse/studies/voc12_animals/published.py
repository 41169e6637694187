# The published shape of the schedule on 1,134 images: 10 epochs of 141 steps
# with batch 8, then 30 of 70 steps with batch 16, plain SGD at 0.01.
_base_ = [
    '../../../_base_/datasets/custom_cam-224x224.py',
    '../../../_base_/schedules/warmup_40e.py',
    '../../../_base_/default_runtime.py'
]

# As published, laid out for batch 8 throughout: 40 * 141 steps, one more as
# PolyLR reaches its end one step early.
param_scheduler = dict(end=5641)
# The masks of a tenth of the train list show the course of the seeds.
train_cfg = dict(val_interval=2)
val_cfg = dict()
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='ImageLevelDataset',
        data_root={{_base_.data_root}},
        ann_file='ImageSets/train_labels.txt',
        id_file='configs/ktse/studies/voc12_animals/held_out.txt',
        metainfo=dict(classes='classes.txt'),
        pipeline={{_base_.test_pipeline}},
        test_mode=True))
val_evaluator = {{_base_.test_evaluator}}
