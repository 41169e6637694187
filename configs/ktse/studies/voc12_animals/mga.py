_base_ = './ktse.py'

model = dict(sie=None, ssr=None)
