_base_ = '../cam/cam_mobilenetv2_custom.py'

model = dict(head=dict(type='GPPHead'))
