# The same folder at the published size of crops.
_base_ = './custom_cam-224x224.py'

train_pipeline = _base_.train_pipeline
train_pipeline[1]['long_range'] = (256, 512)
train_pipeline[3]['crop_size'] = 320
train_dataset = dict(pipeline=train_pipeline)
warmup_dataloader = dict(num_workers=4, dataset=train_dataset)
train_dataloader = dict(num_workers=4, dataset=train_dataset)
test_dataloader = dict(num_workers=4)
