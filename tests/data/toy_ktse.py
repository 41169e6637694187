# Copyright (c) mmktse authors. All rights reserved.
# Config: one epoch of warm-up, two of pairs; 8 images a step in the first,
# 16 in the others. "per_process" divides the batches among processes.
default_scope = 'mmktse'
custom_imports = dict(imports=['toy_pairs'])
loader = dict(
    num_workers=0,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=False))
warmup_dataloader = dict(
    batch_size=8,
    dataset=dict(type='ToyPairs', num_images=16, pair=False),
    **loader)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(type='ToyPairs', num_images=32, pair=True),
    **loader)
train_cfg = dict(type='WarmupTrainLoop', warmup_epochs=1, max_epochs=3)
model = dict(
    type='KTSE',
    data_preprocessor=dict(mean=[127.] * 3, std=[64.] * 3, to_rgb=True),
    backbone=dict(type='ToyBackbone'),
    head=dict(type='GPPHead', num_classes=3, in_channels=8, hidden_channels=8))
optim_wrapper = dict(optimizer=dict(type='SGD', lr=.05, momentum=.9))
default_hooks = dict(
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2))
custom_hooks = [dict(type='EpochSeedHook'), dict(type='RecordLosses')]
randomness = dict(seed=0)
