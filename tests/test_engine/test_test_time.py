# Copyright (c) mmktse authors. All rights reserved.
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmktse.datasets.transforms import LoadMask
from mmktse.engine.test_time import (class_meta, crf_settings, enable_tta,
                                     image_pipeline)
from mmktse.registry import TRANSFORMS
from mmktse.seeds import color_map


@TRANSFORMS.register_module()
class OwnLoadMask(LoadMask):
    """As a project may have one."""


def config(**dataset):
    return Config(
        dict(
            model=dict(type='EncoderDecoder'),
            test_dataloader=dict(
                dataset=dict(
                    dict(type='BaseSegDataset', data_root='nowhere'), **
                    dataset))))


def test_tta_wraps_the_model():
    cfg = config(pipeline=[])
    with pytest.raises(ValueError, match='tta_model and tta_pipeline'):
        enable_tta(cfg)
    cfg.tta_model = dict(type='mmktse.MeanSegTTAModel')
    cfg.tta_pipeline = [dict(type='TestTimeAug')]
    enable_tta(cfg)
    assert cfg.model == dict(
        type='mmktse.MeanSegTTAModel', module=dict(type='EncoderDecoder'))
    assert cfg.test_dataloader.dataset.pipeline == cfg.tta_pipeline


def test_crf_of_the_config():
    cfg = config()
    with pytest.raises(ValueError, match='--crf needs a setting crf'):
        crf_settings(cfg)
    cfg.crf = dict(type='mmktse.DenseCRFRefiner')
    assert crf_settings(cfg) == cfg.crf


def test_pipeline_needs_no_masks():
    init_default_scope('mmseg')
    pack = dict(type='PackSegInputs')
    pipeline = [
        dict(type='LoadImageFromFile', to_float32=False),
        dict(
            type='TestTimeAug',
            transforms=[[dict(type='Resize', scale_factor=.5)],
                        [dict(type='mmseg.LoadAnnotations')],
                        [dict(type='mmktse.OwnLoadMask')], [pack]])
    ]
    assert image_pipeline(pipeline) == [
        dict(type='mmktse.LoadImage', to_float32=False),
        dict(
            type='TestTimeAug',
            transforms=[[dict(type='Resize', scale_factor=.5)], [pack]])
    ]
    assert pipeline[0]['type'] == 'LoadImageFromFile'


def test_classes_come_from_the_checkpoint_or_from_the_config():
    init_default_scope('mmseg')
    colors = ((0, 0, 0), (7, 8, 9))
    known = dict(classes=('background', 'cat'), palette=colors)
    checkpoint = dict(meta=dict(dataset_meta=dict(known, label_map=None)))
    want = dict(classes=['background', 'cat'], palette=[[0] * 3, [7, 8, 9]])
    cfg = config(metainfo=dict(classes='classes.txt'))
    assert class_meta(cfg, checkpoint) == want
    del checkpoint['meta']['dataset_meta']['palette']
    assert class_meta(cfg, checkpoint)['palette'] == color_map()[:2].tolist()
    assert class_meta(config(metainfo=known), {}) == want
    voc = class_meta(
        config(type='PascalVOCDataset', ann_file='val.txt'), dict(meta={}))
    assert len(voc['classes']) == len(voc['palette']) == 21
    with pytest.raises(ValueError, match='data_root=DIR'):
        class_meta(cfg, {})
