# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path

import pytest
from mmengine.config import Config

from mmktse.engine.config import (check_checkpoint, check_data_folders,
                                  check_pretrained, fill_num_classes,
                                  load_config, pretrained_weights,
                                  set_work_dir)

CONFIGS = Path(__file__).parents[2] / 'configs'
TEXT = """
data_root = 'here'
pseudo_label_dir = 'labels'
plain = dict(type='A', data_root=data_root)
warmup_dataloader = dict(dataset=plain)
train_dataloader = dict(
    dataset=dict(type='Pairs', dataset=dict(
        data_root=data_root, pseudo_label_dir=pseudo_label_dir)))
val_dataloader = dict(
    dataset=dict(type='Concat', datasets=[plain, dict(data_root='there')]))
test_dataloader = dict(dataset=dict(type='NoRoot'))
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(TEXT)
    return str(path)


def test_data_root_reaches_every_data_set(config):
    cfg = load_config(
        config, {
            'data_root': 'new',
            'pseudo_label_dir': 'made',
            'val_dataloader.dataset.type': 'B'
        })
    assert cfg.data_root == cfg.plain.data_root == 'new'
    assert cfg.warmup_dataloader.dataset.data_root == 'new'
    assert cfg.train_dataloader.dataset.dataset == dict(
        data_root='new', pseudo_label_dir='made')
    assert [d.data_root
            for d in cfg.val_dataloader.dataset.datasets] == ['new', 'new']
    assert 'data_root' not in cfg.test_dataloader.dataset
    assert cfg.val_dataloader.dataset.type == 'B'


def test_an_option_for_one_data_set_wins(config):
    cfg = load_config(config, {
        'train_dataloader.dataset.dataset.data_root': 'other',
        'data_root': 'new'
    })
    assert cfg.train_dataloader.dataset.dataset.data_root == 'other'
    assert cfg.warmup_dataloader.dataset.data_root == 'new'


def test_without_options_the_config_stays(config):
    assert load_config(config).to_dict() == Config.fromfile(config).to_dict()


@pytest.mark.parametrize('name', [
    'ktse/ktse_r101_voc.py', 'deeplabv2/deeplabv2_r101-d8_4xb4-20k_'
    'voc12aug-512x512-pseudo.py'
])
def test_shipped_configs_follow(name):
    cfg = load_config(str(CONFIGS / name), dict(data_root='new'))
    roots = [
        text for text in str(cfg.to_dict()).split("'data_root': ")[1:]
        if not text.startswith("'new'")
    ]
    assert not roots


def test_missing_config():
    with pytest.raises(FileNotFoundError, match='no_config.py'):
        load_config('no_config.py')


def test_missing_data_folder(config, tmp_path):
    cfg = load_config(config, dict(data_root=str(tmp_path)))
    check_data_folders(cfg, ['train_dataloader', 'no_dataloader'])
    cfg.val_dataloader.dataset.datasets[1].data_root = 'there'
    with pytest.raises(
            FileNotFoundError,
            match=r'there \(val_dataloader.dataset.datasets.1.data_root\)'):
        check_data_folders(cfg, ['train_dataloader', 'val_dataloader'])


def test_missing_pretrained_weights(tmp_path):
    file = tmp_path / 'net.pth'
    cfg = Config(
        dict(
            model=dict(
                neck=dict(init_cfg=[dict(type='Xavier', layer='Conv2d')]),
                backbone=dict(
                    init_cfg=dict(
                        type='mmktse.TorchvisionMobileNetV2Pretrained',
                        checkpoint=str(file))))))
    assert list(pretrained_weights(cfg)) == [('model.backbone.init_cfg',
                                              str(file))]
    with pytest.raises(FileNotFoundError) as info:
        check_pretrained(cfg)
    for part in (str(file), 'model.backbone.init_cfg.checkpoint=FILE',
                 'model.backbone.init_cfg=None'):
        assert part in str(info.value)
    file.touch()
    check_pretrained(cfg)
    # Where it comes from shows when it is fetched.
    cfg.model.backbone.init_cfg.checkpoint = 'torchvision://resnet50'
    check_pretrained(cfg)


def test_missing_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match='no.pth'):
        check_checkpoint(str(tmp_path / 'no.pth'))


def test_work_dir():
    cfg = Config(dict())
    set_work_dir(cfg, 'configs/cam/cam_r50.py', None)
    assert Path(cfg.work_dir) == Path('work_dirs/cam_r50')
    cfg.work_dir = 'mine'
    set_work_dir(cfg, 'configs/cam/cam_r50.py', None)
    assert cfg.work_dir == 'mine'
    set_work_dir(cfg, 'configs/cam/cam_r50.py', 'asked')
    assert cfg.work_dir == 'asked'


@pytest.mark.parametrize('scope, classes', [
    ('mmktse', 'classes.txt'),
    ('mmseg', ('background', 'cat', 'dog')),
])
def test_open_classes_are_read_from_the_data(tmp_path, scope, classes):
    (tmp_path / 'classes.txt').write_text('cat\ndog\n')
    path = tmp_path / 'config.py'
    path.write_text(f"""
default_scope = '{scope}'
model = dict(head=dict(num_classes=None), aux=[dict(num_classes=7)])
train_dataloader = dict(dataset=dict(
    type='mmktse.SegListDataset', data_root='',
    metainfo=dict(classes='classes.txt')))
""")
    cfg = load_config(str(path), dict(data_root=str(tmp_path)))
    assert cfg.model.head.num_classes == (2 if scope == 'mmktse' else 3)
    assert cfg.model.aux[0].num_classes == 7
    assert cfg.train_dataloader.dataset.metainfo.classes == classes
    (tmp_path / 'classes.txt').unlink()
    with pytest.raises(FileNotFoundError, match='classes.txt'):
        load_config(str(path), dict(data_root=str(tmp_path)))


def test_image_level_data_of_a_segmentation_config_keep_their_list(tmp_path):
    """They count no background, the network does."""
    (tmp_path / 'classes.txt').write_text('cat\ndog\n')
    path = tmp_path / 'config.py'
    path.write_text("""
default_scope = 'mmseg'
model = dict(decode_head=dict(num_classes=None))
data = dict(data_root='', metainfo=dict(classes='classes.txt'))
train_dataloader = dict(dataset=dict(
    type='mmktse.WithBackground',
    dataset=dict(type='mmktse.ImageLevelDataset', **data)))
val_dataloader = dict(dataset=dict(type='mmktse.SegListDataset', **data))
""")
    cfg = load_config(str(path), dict(data_root=str(tmp_path)))
    assert cfg.model.decode_head.num_classes == 3
    assert (
        cfg.train_dataloader.dataset.dataset.metainfo.classes == 'classes.txt')
    assert cfg.val_dataloader.dataset.metainfo.classes == ('background', 'cat',
                                                           'dog')


def test_missing_validation_list(tmp_path):
    dataset = dict(data_root=str(tmp_path), ann_file='val.txt')
    cfg = Config(dict(val_dataloader=dict(dataset=dataset)))
    with pytest.raises(FileNotFoundError, match='val_dataloader=None'):
        check_data_folders(cfg, ('val_dataloader', ))
    (tmp_path / 'val.txt').write_text('a')
    check_data_folders(cfg, ('val_dataloader', ))
    check_data_folders(Config(dict(val_dataloader=None)), ('val_dataloader', ))


def test_open_numbers_of_classes_are_filled():
    model = dict(
        module=dict(
            decode_head=dict(num_classes=None),
            auxiliary_head=[dict(num_classes=None),
                            dict(num_classes=7)]),
        teacher=dict(decode_head=dict(num_classes=None)))
    fill_num_classes(model, 3)
    assert model == dict(
        module=dict(
            decode_head=dict(num_classes=3),
            auxiliary_head=[dict(num_classes=3),
                            dict(num_classes=7)]),
        teacher=dict(decode_head=dict(num_classes=3)))


def test_heads_that_may_count_differently_are_not_filled_alike():
    """A CAM head counts no background, a decode head does."""
    model = dict(
        head=[dict(num_classes=None)], decode_head=dict(num_classes=None))
    with pytest.raises(ValueError, match=r'model\.head\.0, model\.decode_h'):
        fill_num_classes(model, 3)
    model['head'][0]['num_classes'] = 2
    fill_num_classes(model, 3)
    assert model['decode_head']['num_classes'] == 3


def test_data_root_that_is_no_path_is_named(config):
    for value in (['a', 'b'], 2012):
        with pytest.raises(ValueError, match='data_root reads as .* ./NAME'):
            load_config(config, dict(data_root=value))
    with pytest.raises(ValueError, match="max_long reads as '1k'.* no number"):
        load_config(config, dict(max_long='1k'))


def test_misspelt_option_is_named(config):
    for option, near in (('data_rot', 'data_root'), ('train_dataloder.num',
                                                     'train_dataloader')):
        with pytest.raises(ValueError) as info:
            load_config(config, {option: 1})
        assert f'The option {option} is no setting of {config}' in str(
            info.value)
        assert f'is {near} meant?' in str(info.value)
    with pytest.raises(ValueError, match=r'config\.py\.$'):
        load_config(config, dict(qqq=1))
    # The Runner takes what the config leaves out.
    assert load_config(config, {'randomness.seed': 3}).randomness.seed == 3
    assert load_config(config, dict(sync_bn='torch')).sync_bn == 'torch'
    assert load_config(config, {'compile.mode': 'default'}).compile.mode
