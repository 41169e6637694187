# From weights trained on COCO's masks: not comparable with networks that saw
# no pixel label.
_base_ = '../../../configs/deeplabv2/' \
    'deeplabv2_r101-d8-cocoinit_1xb10-20k_voc12aug-321x321-pseudo.py'

train_dataloader = dict(batch_size=5)
