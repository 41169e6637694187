_base_ = ['../../../_base_/models/cam_mobilenetv2-d16.py', './published.py']

model = dict(head=dict(type='GPPHead'))
