# KTSE's classifier without its terms: the baseline of the paper's ladder.
_base_ = '../cam/cam_r50_voc.py'

model = dict(head=dict(type='GPPHead'))
