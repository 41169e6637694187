# L_cls, L_kt, L_local and L_global are means over the classes, present or not:
# with 6 classes they are 20/6 times as strong as with the 20 of VOC. The terms
# of SSR are means over pixels. This is the balance that VOC has.
_base_ = './ktse.py'

model = dict(
    ssr=dict(
        type='SSRLoss',
        bg_weight=20 / 6,
        fg_weight=0.0125 * 20 / 6,
        inter_weight=0.005 * 20 / 6))
