_base_ = './ktse_modern.py'

model = dict(ssr=None, mga=None)
