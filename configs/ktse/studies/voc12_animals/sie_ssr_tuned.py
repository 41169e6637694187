_base_ = './ktse_tuned.py'

model = dict(mga=None)
