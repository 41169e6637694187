_base_ = './ktse_modern.py'

model = dict(mga=None)
