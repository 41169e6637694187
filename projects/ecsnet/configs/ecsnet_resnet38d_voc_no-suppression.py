# Every pixel is labelled by argmax, with present classes alone.
_base_ = './ecsnet_resnet38d_voc.py'

model = dict(selector=dict(clauses=('R0', )))
