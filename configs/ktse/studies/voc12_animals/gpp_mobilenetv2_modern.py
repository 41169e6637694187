_base_ = ['../../../_base_/models/cam_mobilenetv2-d16.py', './modern.py']

model = dict(head=dict(type='GPPHead'))
