_base_ = './ktse.py'

model = dict(ssr=None, mga=None)
