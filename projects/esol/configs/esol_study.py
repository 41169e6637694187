# What expansion and shrinkage give, and what the open settings of ESOL change,
# on six animal classes of VOC 2012 with MobileNetV2.
#
#   PYTHONPATH=. python tools/analysis_tools/run_study.py \
#       projects/esol/configs/esol_study.py \
#       --cfg-options data_root=DIR mobilenet=FILE
#
# Compared on the held-out tenth of the train list; esol_pipeline_custom.py
# measures all of it, refines and trains the last network.
_base_ = '../../../configs/ktse/studies/voc12_animals/held_out.py'

results = 'projects/esol/results'

# The last epochs of the configs; an ascent that was stopped has it, too.
stages = _base_.stages
for _name, _epoch in [('expand', 8), ('shrink', 5)]:
    _train, _held = stages['held']
    stages[_name] = [
        dict(
            _train,
            cfg_options=dict(
                _train['cfg_options'],
                load_from=f'{{after}}/train/epoch_{_epoch}.pth')), _held
    ]

_net = 'projects/esol/configs/esol_mobilenetv2_{}_custom.py'
_row = dict(
    seeds=[0],
    cfg_options={'model.backbone.init_cfg.checkpoint': '{mobilenet}'})


def _add(row, **options):
    return dict(row, cfg_options={**_row['cfg_options'], **options})


def _chain(suffix, title, both={}, expand={}, shrink={}):
    return [
        _add(
            dict(
                _row,
                name=f'expand{suffix}',
                title=f'expansion{title}',
                config=_net.format('expand'),
                stages='expand',
                after='warm'), **both, **expand),
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
_mu = 'model.area.loss_weight'
_clip = 'model.head.clip.beta'
# The defaults of the method, which the configs on ResNet-50 have.
_method = dict(
    both={
        _clip: .15,
        'model.head.sampler.max_offset': None
    },
    expand={
        'model.head.lambda_e': .01,
        'model.head.present_only': False,
        'model.head.co_trained': []
    },
    shrink={
        'model.head.train_kernel': True,
        'optim_wrapper.optimizer.lr': .04,
        _mu: .01
    })
_expand, _shrink = _chain('', '')
rows = [
    dict(
        _row,
        name='baseline',
        title='baseline CAM',
        config='configs/cam/cam_mobilenetv2_custom.py',
        stages='held'),
    dict(
        _row,
        name='warm',
        title='before expansion',
        config=_net.format('warm'),
        stages='held'),
    _expand,
    _shrink,
    # No point moves; the shrinkage has no L_area then.
    *_chain('_held', ', offsets zero', expand={_hold: 5}, shrink={_hold: 6}),
    # Each differs in what its title says.
    *(_add(
        dict(
            _shrink,
            name=f'shrink_mu{_name}',
            title=f'expansion + shrinkage, mu = {_value}'), **{_mu: _value})
      for _name, _value in [('0', 0.), ('03', .3), ('1', 1.)]),
    _add(
        dict(
            _shrink,
            name='shrink_fast',
            title='expansion + shrinkage, W2 trained, tenfold rate, mu = 0.01'
        ), **_method['shrink']),
    *_chain(
        '_clip03',
        ', clip at 0.3, mu = 0.3',
        both={_clip: .3},
        shrink={_mu: .3}),
    *_chain(
        '_all',
        ', ascent of all classes',
        expand={'model.head.present_only': False}),
    *_chain(
        '_fixed',
        ', kernel and classifier fixed meanwhile',
        expand={'model.head.co_trained': []}),
    *_chain('_method', ', defaults of the method', **_method),
    *_chain(
        '_method_clip05',
        ', defaults of the method but clip at 0.5 and offsets up to 2 cells',
        **{
            **_method, 'both': {
                _clip: .5
            }
        }),
]
# Baseline, before expansion, expansion, shrinkage.
for _main in rows[:4]:
    _main['seeds'] = [0, 1]
