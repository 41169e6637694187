# KTSE's classifier without its terms: the baseline of the paper's ladder.
_base_ = './ktse_resnet38d_voc.py'

model = dict(sie=None, ssr=None, mga=None)
