# What expansion and shrinkage give, and what the open settings of ESOL change,
# on a folder of images with tags and masks, on a CPU.
#
#   PYTHONPATH=. python tools/analysis_tools/run_study.py \
#       projects/esol/configs/esol_study_custom.py --cfg-options data_root=DIR
data_root = 'data/custom'
# Small files with the figures of finished runs.
results = 'work_dirs/esol_study_custom/results'

_net = 'projects/esol/configs/esol_efficientnet-lite0'
_warm, _expand, _shrink = (f'{_net}_{stage}_custom.py'
                           for stage in ('warm', 'expand', 'shrink'))
_data = dict(data_root='{data_root}')
_seeds = dict(
    name='seeds',
    type='pseudo_labels',
    config='{config}',
    checkpoint='{train.checkpoint}',
    cfg_options={
        **_data, 'pseudo_labels.refiner': None
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
            }), _seeds
    ]


# The last epochs of the configs; an ascent that was stopped has it, too.
stages = dict(
    first=_stages(),
    expand=_stages(load_from='{after}/train/epoch_8.pth'),
    shrink=_stages(load_from='{after}/train/epoch_5.pth'))


def _chain(suffix, title, warm='warm', both={}, expand={}, shrink={}):
    return [
        dict(
            name=f'expand{suffix}',
            title=f'expansion{title}',
            config=_expand,
            seeds=[0],
            stages='expand',
            after=warm,
            cfg_options={
                **both,
                **expand
            }),
        dict(
            name=f'shrink{suffix}',
            title=f'expansion + shrinkage{title}',
            config=_shrink,
            seeds=[0],
            stages='shrink',
            after=f'expand{suffix}',
            cfg_options={
                **both,
                **shrink
            }),
    ]


_identity = {'model.head.train_kernel': False}
rows = [
    dict(
        name='baseline',
        title='baseline CAM',
        config='configs/cam/cam_efficientnet-lite0_custom.py',
        seeds=[0],
        stages='first'),
    dict(
        name='warm',
        title='before expansion',
        config=_warm,
        seeds=[0],
        stages='first'),
    *_chain('', ''),
    # Each differs from the two rows above in one setting.
    *_chain('_beta1', ', nothing clipped', both={'model.head.clip.beta': 1.}),
    *_chain('_beta03', ', clip at 0.3', both={'model.head.clip.beta': .3}),
    *_chain(
        '_present',
        ', ascent of present classes',
        expand={'model.head.present_only': True}),
    *_chain(
        '_co',
        ', classifier descends meanwhile',
        expand={'model.head.co_trained': ['classifier']}),
    dict(
        name='warm_identity',
        title='before expansion, kernels the identity',
        config=_warm,
        seeds=[0],
        stages='first',
        cfg_options=_identity),
    *_chain(
        '_identity',
        ', kernels the identity',
        warm='warm_identity',
        both=_identity),
    *(dict(
        name=f'shrink_mu{_name}',
        title=f'expansion + shrinkage, mu = {_mu}',
        config=_shrink,
        seeds=[0],
        stages='shrink',
        after='expand',
        cfg_options={'model.area.loss_weight': _mu})
      for _name, _mu in [('0', 0.), ('005', .05), ('01', .1), ('05', .5)]),
]
tables = {
    f'Seeds, {_title}': [
        dict(
            title='mIoU (threshold)',
            value=f'seeds/metrics/{_which}/mIoU',
            at=f'seeds/metrics/{_which}/threshold'),
        dict(title='precision', value=f'seeds/metrics/{_which}/precision'),
        dict(title='recall', value=f'seeds/metrics/{_which}/recall'),
    ]
    for _which, _title in [('fixed', 'threshold of the config'),
                           ('oracle', 'best threshold on the images measured')]
}
