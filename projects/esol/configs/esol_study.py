# What expansion and shrinkage give, and what the open settings of ESOL change,
# on six animal classes of VOC 2012 with MobileNetV2.
#
#   PYTHONPATH=. python tools/analysis_tools/run_study.py \
#       projects/esol/configs/esol_study.py --cfg-options data_root=DIR
#
# Settings are compared on the held-out tenth of the train list; the rows that
# stand for the method are measured, refined and trained with on the others.
_base_ = '../../../configs/ktse/studies/voc12_animals/study.py'

results = 'projects/esol/results'

_held_out = 'configs/ktse/studies/voc12_animals/held_out.txt'
_data = dict(data_root='{data_root}')
_held = dict(
    name='held',
    type='pseudo_labels',
    config='{config}',
    checkpoint='{train.checkpoint}',
    cfg_options={
        **_data, 'test_dataloader.dataset.id_file': _held_out,
        'pseudo_labels.refiner': None
    })


def _stages(**options):
    return [
        dict(
            name='train',
            type='train',
            config='{config}',
            cfg_options={
                **_data, 'randomness.seed': '{seed}',
                **options
            }), _held
    ]


# The last epochs of the configs; an ascent that was stopped has it, too.
_load = dict(
    first={},
    expand=dict(load_from='{after}/train/epoch_8.pth'),
    shrink=dict(load_from='{after}/train/epoch_5.pth'))
stages = {_name: _stages(**_options) for _name, _options in _load.items()}
# Seeds, threshold, PAR and CRF, then the network.
_plain = _base_.stages['plain']
stages.update(
    {f'{_name}_seeds': stages[_name] + _plain[1:-2]
     for _name in _load})
stages.update(
    {f'{_name}_network': stages[_name] + _plain[1:]
     for _name in _load})

_net = 'projects/esol/configs/esol_mobilenetv2_{}_custom.py'
_row = dict(
    seeds=[0],
    cfg_options={'model.backbone.init_cfg.checkpoint': '{mobilenet}'})


def _add(row, **options):
    return dict(row, cfg_options={**_row['cfg_options'], **options})


def _chain(suffix, title, warm='warm', both={}, expand={}, shrink={}):
    return [
        _add(
            dict(
                _row,
                name=f'expand{suffix}',
                title=f'expansion{title}',
                config=_net.format('expand'),
                stages='expand',
                after=warm), **both, **expand),
        _add(
            dict(
                _row,
                name=f'shrink{suffix}',
                title=f'expansion + shrinkage{title}',
                config=_net.format('shrink'),
                stages='shrink',
                after=f'expand{suffix}'), **both, **shrink),
    ]


# Lists are replaced item by item: the hook that holds the offsets.
_hold = 'custom_hooks.2.epochs'
_identity = {'model.head.train_kernel': False}
_expand, _shrink = _chain('', '')
_clips = [('', '', {}),
          ('_beta03', ', clip at 0.3', {
              'model.head.clip.beta': .3
          })]
_bound = {'model.head.sampler.max_offset': 2.}
_free = {**_bound, 'model.head.clip.beta': 1.}
_free_title = 'offsets up to 2 cells, nothing clipped'
_co_title = f'{_free_title}, kernel and classifier descend'
_co = {
    'model.head.present_only': True,
    'model.head.lambda_e': .05,
    'model.head.co_trained': ['kernel', 'classifier']
}
# A shrinkage that begins as what it gets, and moves a tenth as fast.
_slow = {**_free, **_identity, 'optim_wrapper.optimizer.lr': .004}
_slow_rows = [
    ('', 'present', 'expand_strong_co', .1),
    ('_all', 'all', 'expand_all_co', .1),
    ('_all_mu1', 'all', 'expand_all_co', 1.),
]
rows = [
    dict(
        _row,
        name='baseline',
        title='baseline CAM',
        config='configs/cam/cam_mobilenetv2_custom.py',
        stages='first_network'),
    dict(
        _row,
        name='warm',
        title='before expansion',
        config=_net.format('warm'),
        stages='first_seeds'),
    dict(_expand, stages='expand_seeds'),
    dict(_shrink, stages='shrink_network'),
    # What clip, kernel and classifier do while no point moves.
    *_chain('_held', ', offsets zero', expand={_hold: 5}, shrink={_hold: 6}),
    # In several settings at once: the titles say which.
    *_chain(
        '_present',
        ', ascent of present classes, offsets up to 2 cells',
        both=_bound,
        expand={'model.head.present_only': True}),
    *_chain(
        '_strong',
        f', fivefold ascent of present classes, {_free_title}',
        both=_free,
        expand={
            'model.head.present_only': True,
            'model.head.lambda_e': .05
        }),
    *_chain(
        '_strong_co',
        f', fivefold ascent of present classes, {_co_title}',
        both=_free,
        expand=_co),
    *_chain(
        '_all_co',
        f', fivefold ascent of all classes, {_co_title}',
        both=_free,
        expand={
            **_co, 'model.head.present_only': False
        }),
    # Its control: the same is trained, no point moves.
    *_chain(
        '_all_co_held',
        ', offsets zero, nothing clipped, kernel and classifier descend',
        both=_free,
        expand={
            **_co, 'model.head.present_only': False,
            _hold: 5
        },
        shrink={_hold: 6}),
    *(_add(
        dict(
            _shrink,
            name=f'shrink_slow{_suffix}',
            title=f'expansion + slow shrinkage, W2 the identity, mu = {_mu}, '
            f'fivefold ascent of {_classes} classes, {_co_title}',
            after=_after), **_slow, **{'model.area.loss_weight': _mu})
      for _suffix, _classes, _after, _mu in _slow_rows),
    # Each differs from `expand` and `shrink` in one setting.
    *_chain('_beta1', ', nothing clipped', both={'model.head.clip.beta': 1.}),
    *_chain('_beta03', ', clip at 0.3', both={'model.head.clip.beta': .3}),
    *_chain(
        '_co',
        ', classifier descends meanwhile',
        expand={'model.head.co_trained': ['classifier']}),
    _add(
        dict(
            _row,
            name='warm_identity',
            title='before expansion, kernels the identity',
            config=_net.format('warm'),
            stages='first'), **_identity),
    *_chain(
        '_identity',
        ', kernels the identity',
        warm='warm_identity',
        both=_identity),
    # Weights of the area, at both clips.
    *(_add(
        dict(
            _shrink,
            name=f'shrink{_suffix}_mu{_name}',
            title=f'expansion + shrinkage{_title}, mu = {_mu}',
            after=f'expand{_suffix}'), **{
                **_both, 'model.area.loss_weight': _mu
            }) for _suffix, _title, _both in _clips
      for _name, _mu in [('0', 0.), ('005', .05), ('01', .1), ('05', .5)]),
]
_figures = [('mIoU (threshold)', 'mIoU'), ('precision', 'precision'),
            ('recall', 'recall')]
tables = {
    f'Seeds of the held-out tenth, {_title}': [
        dict(
            title=_column,
            value=f'held/metrics/{_which}/{_figure}',
            **(dict(at=f'held/metrics/{_which}/threshold')
               if _figure == 'mIoU' else {})) for _column, _figure in _figures
    ]
    for _which, _title in [(
        'fixed',
        'threshold of the config'), ('oracle',
                                     'best threshold on these images')]
}
