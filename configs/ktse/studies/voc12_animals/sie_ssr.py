_base_ = './ktse.py'

model = dict(mga=None)
