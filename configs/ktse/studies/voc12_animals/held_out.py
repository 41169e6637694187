# What studies of other methods on these images have in common: a training, and
# its seeds measured on the held-out tenth of the train list.
data_root = 'data/voc12_animals'
# ImageNet weights of MobileNetV2 with torchvision's names.
mobilenet = 'checkpoints/mobilenet_v2_imagenet.pth'

_data = dict(data_root='{data_root}')
stages = dict(held=[
    dict(
        name='train',
        type='train',
        config='{config}',
        cfg_options={
            **_data, 'randomness.seed': '{seed}'
        }),
    dict(
        name='held',
        type='pseudo_labels',
        config='{config}',
        checkpoint='{train.checkpoint}',
        cfg_options={
            **_data, 'test_dataloader.dataset.id_file':
            'configs/ktse/studies/voc12_animals/held_out.txt',
            'pseudo_labels.refiner': None
        })
])
# Precision and recall of the objects: where they grow, recall of the
# background falls.
tables = {
    f'Seeds of the held-out tenth, {_title}': [
        dict(
            title='mIoU (threshold)',
            value=f'held/metrics/{_which}/mIoU',
            at=f'held/metrics/{_which}/threshold'),
        dict(title='precision', value=f'held/metrics/{_which}/fg_precision'),
        dict(title='recall', value=f'held/metrics/{_which}/fg_recall')
    ]
    for _which, _title in [(
        'fixed',
        'threshold of the config'), ('oracle',
                                     'best threshold on these images')]
}
