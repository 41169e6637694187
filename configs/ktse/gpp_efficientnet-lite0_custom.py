_base_ = '../cam/cam_efficientnet-lite0_custom.py'

model = dict(head=dict(type='GPPHead'))
