_base_ = './ktse_modern.py'

model = dict(sie=None, mga=None)
