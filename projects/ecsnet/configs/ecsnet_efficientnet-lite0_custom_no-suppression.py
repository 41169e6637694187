# Every pixel is labelled by argmax, with present classes alone.
_base_ = './ecsnet_efficientnet-lite0_custom.py'

# Chosen on masks of a held-out tenth of six VOC classes.
model = dict(selector=dict(clauses=('R0', ), argmax_threshold=0.45))
