# Three views of a training image; images squeezed to a square to validate on.
# Pillow's filters, as published.
view_size = (448, 448)
_jitter = [
    dict(
        type='mmcv.RandomApply',
        prob=0.8,
        transforms=[
            dict(
                type='mmpretrain.ColorJitter',
                brightness=0.4,
                contrast=0.4,
                saturation=0.2,
                hue=0.1)
        ]),
    dict(
        type='mmcv.RandomGrayscale',
        prob=0.2,
        keep_channels=True,
        # Of blue, green and red, as Pillow weighs them.
        channel_weights=(0.114, 0.587, 0.299)),
]
_blur = dict(
    type='mmpretrain.GaussianBlur',
    magnitude_range=(0.1, 2.0),
    magnitude_std='inf')
views_pipeline = [
    dict(type='mmktse.LoadImage'),
    # The second global view, of the whole image.
    dict(
        type='mmcv.KeyMapper',
        mapping=dict(img='img'),
        remapping=dict(img='second_img'),
        transforms=[
            dict(
                type='mmpretrain.RandomResizedCrop',
                scale=view_size,
                crop_ratio_range=(0.4, 1.0),
                interpolation='bicubic',
                backend='pillow'),
            dict(type='mmcv.RandomFlip', prob=0.5),
            *_jitter,
            dict(_blur, prob=0.1),
            dict(type='mmpretrain.Solarize', thr=128, prob=0.2),
        ]),
    dict(type='mmktse.RandomRescale', ratio_range=(0.5, 2.0)),
    dict(type='mmcv.RandomFlip', prob=0.5),
    # Black, before the normalisation.
    dict(
        type='mmktse.RandomCropOrPad', crop_size=view_size, pad_val=(0, 0, 0)),
    # What the teacher's local crops are cut out of.
    dict(
        type='mmcv.KeyMapper',
        mapping=dict(img='img'),
        remapping=dict(img='strong_img'),
        transforms=[
            # As published, although the crops are placed and tagged by the
            # base view, which is not mirrored with it; the README says how
            # to leave it out.
            dict(type='mmcv.RandomFlip', prob=0.5),
            *_jitter,
            dict(_blur, prob=0.5),
        ]),
    dict(type='mmktse.PackViews'),
]
square_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='Resize', scale=view_size, keep_ratio=False),
    dict(type='mmktse.LoadMask'),
    dict(type='PackSegInputs')
]
# Squares of 1, 1.25 and 1.5 times the crop, and their mirrors.
squares_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='Resize', scale=(side, side), keep_ratio=False)
            for side in (448, 560, 672)
        ],
                    [
                        dict(type='RandomFlip', prob=0.),
                        dict(
                            type='RandomFlip', prob=1., direction='horizontal')
                    ], [dict(type='mmktse.LoadMask')],
                    [dict(type='PackSegInputs')]])
]
seed_pipeline = [
    dict(type='mmktse.LoadImage'),
    dict(type='Resize', scale=view_size, keep_ratio=False),
    dict(
        type='mmpretrain.PackInputs',
        meta_keys=('img_id', 'img_path', 'seg_map_path', 'ori_shape',
                   'img_shape'))
]
