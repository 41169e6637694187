# Every pixel is labelled by argmax, with present classes alone.
_base_ = './ecsnet_r50_voc.py'

model = dict(selector=dict(clauses=('R0', )))
