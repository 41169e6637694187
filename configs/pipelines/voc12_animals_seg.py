# One folder of labels (KTSE, dense CRF) on six animal classes of VOC 2012, and
# two ways to train on it: DeepLabV2 alone and two of them together (BECO), at
# equal numbers of steps, with and without CRF at test time.
#
#   python tools/run_pipeline.py configs/pipelines/voc12_animals_seg.py \
#       --cfg-options data_root=DIR
data_root = 'data/voc12_animals'

_data = dict(data_root='{data_root}')
_cam = 'configs/ktse/ktse_efficientnet-lite0_custom.py'
_plain = 'configs/deeplabv2/deeplabv2_efficientnet-lite0_custom-224x224.py'
_beco = 'configs/beco/beco_deeplabv2_efficientnet-lite0_custom-224x224.py'
_truth = _plain.replace('.py', '-gt.py')
_labels = dict(_data, pseudo_label_dir='{labels.work_dir}')
_epochs = 4
_schedule = {
    'param_scheduler.0.end': _epochs,
    'train_cfg.max_epochs': _epochs,
    'train_cfg.val_interval': _epochs
}


def _test(network, config, title, words=(), name=None):
    return dict(
        name='_'.join([name or network, 'val', *words]),
        title=title,
        type='test',
        config=config,
        checkpoint=f'{{{network}.checkpoint}}',
        args=[f'--{word}' for word in words],
        cfg_options=_labels)


stages = [
    dict(
        name='ktse',
        type='train',
        config=_cam,
        # As published; the defaults of the config came later.
        cfg_options={
            **_data, 'model.labeler.thresholds': [0.3, 0.15],
            'model.ssr.fg_weight': 0.0125,
            'model.mga.global_weight': 1.0
        }),
    # The threshold is the config's, 0.30: no mask was looked at.
    dict(
        name='labels',
        title='KTSE',
        type='pseudo_labels',
        config=_cam,
        checkpoint='{ktse.checkpoint}',
        cfg_options={
            **_data, 'pseudo_labels.refiner.type': 'LabelCRFRefiner',
            'pseudo_labels.confidence_share': 0.5
        }),
]
# Published are 2 of 100 epochs without online labels.
_networks = [('plain', _plain, 'DeepLabV2', {}),
             ('beco', _beco, 'BECO', {
                 'custom_hooks.1.begin': 1
             }), ('truth', _truth, 'DeepLabV2 on real masks', {})]
for _network, _config, _title, _extra in _networks:
    stages += [
        dict(
            name=_network,
            title=_title,
            type='train',
            config=_config,
            cfg_options={
                **_labels,
                **_schedule,
                **_extra
            }),
        _test(_network, _config, _title),
        _test(_network, _config, _title, ('tta', )),
        _test(_network, _config, _title, ('tta', 'crf')),
    ]
# Is it the training in pairs, or the mean of two networks?
stages.append(
    _test('beco', _plain, 'BECO, one of the two networks', name='beco_single'))
