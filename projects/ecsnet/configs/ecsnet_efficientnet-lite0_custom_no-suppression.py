# Every pixel is labelled by argmax, with present classes alone.
_base_ = './ecsnet_efficientnet-lite0_custom.py'

model = dict(selector=dict(clauses=('R0', )))
