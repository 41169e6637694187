_base_ = './ktse_tuned.py'

model = dict(sie=None, mga=None)
