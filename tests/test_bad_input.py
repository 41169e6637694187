# Copyright (c) mmktse authors. All rights reserved.
"""What tools/* say to bad input; docs/reliability.md lists it."""
import json
import os
import resource
import runpy
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import save_checkpoint
from PIL import Image

from mmktse.datasets.synthetic import CLASSES, generate_synthetic_voc
from mmktse.engine import dist
from mmktse.engine.checkpoint import read_checkpoint
from mmktse.evaluation import score_refinement
from mmktse.registry import MODELS
from mmktse.seeds import load_label_map
from mmktse.seeds.manifest import check_complete
from mmktse.utils import folder_lock

ROOT = Path(__file__).parents[1]
SEGMENTOR = ROOT / 'tests' / 'data' / 'tiny_segmentor.py'
TOY = ROOT / 'tests' / 'data' / 'toy_ktse.py'
CAM = """
default_scope = 'mmktse'
data_root = 'nowhere'
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[127.] * 3, std=[128.] * 3, to_rgb=True),
    backbone=dict(type='mmpretrain.MobileNetV2', widen_factor=.1),
    head=dict(type='CAMHead', num_classes=None, in_channels=1280))
dataset = dict(
    type='ImageLevelDataset',
    data_root=data_root,
    ann_file='labels.txt',
    metainfo=dict(classes='classes.txt'),
    pipeline=[
        dict(type='LoadImage'),
        dict(type='MultiScaleViews', scales=(.5, 1.)),
        dict(type='mmpretrain.PackInputs', meta_keys=(
            'img_id', 'img_path', 'seg_map_path', 'ori_shape')),
    ])
test_dataloader = dict(
    num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(dataset, test_mode=True))
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomResizeLong', long_range=(32, 40)),
    dict(type='RandomCropOrPad', crop_size=32),
    dict(type='mmpretrain.PackInputs'),
]
train_dataloader = dict(
    batch_size=2, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(dataset, pipeline=train_pipeline))
train_cfg = dict(by_epoch=True, max_epochs=1)
test_cfg = dict()
test_evaluator = dict(type='SeedMetric')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=.01))
pseudo_labels = dict(
    threshold=.4, num_workers=0,
    refiner=dict(type='PARRefiner', num_iters=1))
"""


@pytest.fixture
def tool(monkeypatch, tmp_path, forget_runs):
    """Runs tools in this process; what they say to bad input."""
    monkeypatch.syspath_prepend(ROOT / 'tests' / 'data')
    monkeypatch.setattr(score_refinement, 'share_of_cores', lambda: 0)
    monkeypatch.setattr(dist, 'folder_lock', partial(folder_lock, patience=0))

    def run(name, *words, fails=False):
        forget_runs()
        monkeypatch.setattr(sys, 'argv', [name, *map(str, words)])
        path = str(ROOT / 'tools' / name)
        if not fails:
            return runpy.run_path(path)['main']()
        with pytest.raises(SystemExit) as info:
            runpy.run_path(path)['main']()
        assert info.value.code.startswith('error: ')
        assert '\n' not in info.value.code
        return info.value.code

    return run


@pytest.fixture
def data(tmp_path):
    """Data, and the config of a CAM network for it."""
    root = tmp_path / 'data'
    generate_synthetic_voc(str(root), num_train=4, num_val=2, size=48)
    labels = root / 'ImageSets/train_labels.txt'
    (root / 'labels.txt').write_text(labels.read_text())
    (tmp_path / 'cam.py').write_text(CAM)
    return root


def save_network(config, path, num_classes):
    cfg = Config.fromfile(config)
    seg = cfg.get('default_scope') == 'mmseg'
    head = 'decode_head' if seg else 'head'
    cfg.model[head].num_classes = num_classes
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        net = MODELS.build(cfg.model)
        net.init_weights()
    classes = [f'c{i}' for i in range(num_classes)]
    save_checkpoint(
        dict(
            state_dict=net.state_dict(),
            meta=dict(dataset_meta=dict(classes=classes))), str(path))
    return path


def write_odd_images(folder):
    """Images of unusual kinds and sizes; their sizes (H, W) by id."""
    folder.mkdir(exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (48, 32, 3), np.uint8)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x112] = 6  # to be turned by a quarter
    image.save(folder / 'turned.jpg', exif=exif)
    image.convert('CMYK').save(folder / 'cmyk.jpg')
    image.convert('L').save(folder / 'grey.jpg')
    image.resize((1, 1)).save(folder / 'one.jpg')
    image.resize((20, 10000)).save(folder / 'thin.jpg')
    return dict(
        cmyk=(48, 32),
        grey=(48, 32),
        one=(1, 1),
        thin=(10000, 20),
        turned=(32, 48))


def test_odd_images_in_every_stage(tool, data, tmp_path):
    sizes = write_odd_images(data / 'JPEGImages')
    (data / 'labels.txt').write_text(''.join(f'{i} 0 1\n' for i in sizes))
    config, option = tmp_path / 'cam.py', f'data_root={data}'
    tool('train.py', config, '--work-dir', tmp_path / 'work', '--cfg-options',
         option)
    # PAR reads the images once more.
    tool('make_pseudo_labels.py', config, tmp_path / 'work/epoch_1.pth',
         '--out', tmp_path / 'labels', '--cfg-options', option)
    check_complete(tmp_path / 'labels')
    tool('analysis_tools/vis_cams.py', config, tmp_path / 'labels', '--labels',
         tmp_path / 'labels', '--out', tmp_path / 'page.png', '--cfg-options',
         option)
    assert (tmp_path / 'page.png').is_file()
    net = save_network(SEGMENTOR, tmp_path / 'seg.pth', 3)
    images = tmp_path / 'images'
    write_odd_images(images)
    (images / 'grey.jpg').rename(images / 'grey.JPG')
    tool('predict.py', SEGMENTOR, net, images, '--out', tmp_path / 'masks')
    for img_id, size in sizes.items():
        for folder in ('labels', 'masks'):
            load_label_map(
                tmp_path / folder / 'SegmentationClass' / f'{img_id}.png',
                size)
        with Image.open(tmp_path / f'masks/overlay/{img_id}.jpg') as overlay:
            assert overlay.size == size[::-1]


def test_crf_sees_the_turned_image(tool, tmp_path):
    pytest.importorskip('pydensecrf')
    write_odd_images(tmp_path / 'images')
    net = save_network(SEGMENTOR, tmp_path / 'seg.pth', 3)
    tool('predict.py', SEGMENTOR, net, tmp_path / 'images/turned.jpg', '--crf',
         '--out', tmp_path / 'masks')
    load_label_map(tmp_path / 'masks/SegmentationClass/turned.png', (32, 48))


def test_truncated_image_stops_every_stage(tool, data, tmp_path):
    """OpenCV, which mmseg reads images with, fills them up with grey."""
    option = f'data_root={data}'
    image = data / 'JPEGImages' / f'{first_id(data)}.jpg'
    whole = image.read_bytes()
    config = tmp_path / 'cam.py'
    net = save_network(config, tmp_path / 'cam.pth', len(CLASSES))
    tool('make_pseudo_labels.py', config, net, '--out', tmp_path / 'labels',
         '--cfg-options', option)
    image.write_bytes(whole[:len(whole) // 2])
    said = [
        tool(
            'train.py',
            config,
            '--work-dir',
            tmp_path / 'work',
            '--cfg-options',
            option,
            fails=True),
        tool(
            'make_pseudo_labels.py',
            config,
            net,
            '--out',
            tmp_path / 'other',
            '--cfg-options',
            option,
            fails=True),
        # Where the CRF or PAR reads the image once more.
        tool(
            'make_pseudo_labels.py',
            config,
            '--from-seeds',
            tmp_path / 'labels',
            '--out',
            tmp_path / 'again',
            '--cfg-options',
            option,
            fails=True)
    ]
    assert all(f'{image} cannot be read' in message for message in said)
    # The same command goes on once the image is mended.
    image.write_bytes(whole)
    tool('make_pseudo_labels.py', config, net, '--out', tmp_path / 'other',
         '--cfg-options', option)
    check_complete(tmp_path / 'other')


def first_id(data):
    return (data / 'labels.txt').read_text().split()[0]


@pytest.mark.parametrize('file', sorted((ROOT / 'configs').rglob('*.py')))
def test_shipped_configs_read_images_with_our_reader(file):
    assert 'LoadImageFromFile' not in file.read_text()


def test_masks_to_measure_against(tool, data, tmp_path):
    net = save_network(SEGMENTOR, tmp_path / 'seg.pth', len(CLASSES) + 1)
    ids = (data / 'ImageSets/val.txt').read_text().split()
    mask = data / 'SegmentationClass' / f'{ids[0]}.png'
    run = partial(tool, 'test.py', SEGMENTOR, net, '--work-dir',
                  tmp_path / 'work', '--cfg-options', f'data_root={data}')
    run()
    size = load_label_map(mask).shape[::-1]
    for image, message in (
        (Image.new('L', size, 17), f'{mask} holds the value 17'),
        (Image.new('L', (5, 7)), f'{mask} has height x width 7x5'),
        (Image.new('RGB', size), f'{mask} has shape'),
    ):
        image.save(mask)
        assert message in run(fails=True)
    mask.unlink()
    assert f'val.txt:1: mask {mask} does not exist' in run(fails=True)


def test_misspelt_names(tool, data, tmp_path):
    config, option = tmp_path / 'cam.py', f'data_root={data}'
    run = partial(
        tool,
        'train.py',
        config,
        '--work-dir',
        tmp_path / 'work',
        '--cfg-options',
        option,
        fails=True)
    assert 'is train_cfg meant?' in run('train_cgf.max_epochs=3')
    for word in ('model.pretraind=1', 'model.head.num_clases=2',
                 'model.backbone.widen=2',
                 'train_dataloader.dataset.an_file=x',
                 'model.type=CAMClasifier'):
        assert 'The config does not fit' in run(word)


class Code:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path), )


def test_code_in_a_checkpoint_is_not_run(tool, data, tmp_path):
    evil, made = tmp_path / 'evil.pth', tmp_path / 'made'
    config = tmp_path / 'cam.py'
    save_network(config, evil, len(CLASSES))
    content = torch.load(evil, weights_only=True)
    torch.save(dict(content, message_hub=Code(made)), evil)
    option = f'data_root={data}'
    out = ('--cfg-options', option)
    work = ('--work-dir', tmp_path / 'work')
    calls = [
        ('test.py', config, evil, *work, *out),
        ('make_pseudo_labels.py', config, evil, '--out', tmp_path / 'o', *out),
        ('train.py', config, '--resume', evil, *work, *out),
        ('train.py', config, *work, *out, f'load_from={evil}'),
        ('predict.py', SEGMENTOR, evil, data / 'JPEGImages', '--out',
         tmp_path / 'p'),
        ('export_onnx.py', config, evil, '--out', tmp_path / 'x.onnx', *out),
        ('model_converters/publish_model.py', evil, tmp_path / 'net'),
    ]
    calls += [('train.py', config, *work, *out,
               f'model.backbone.init_cfg.type={kind}',
               f'model.backbone.init_cfg.checkpoint={evil}')
              for kind in ('Pretrained',
                           'mmktse.TorchvisionMobileNetV2Pretrained')]
    for call in calls:
        assert f'{evil}' in tool(*call, fails=True), call
        assert not made.exists(), call


def test_checkpoint_of_another_network(tool, data, tmp_path):
    """Of another number of classes, and of another kind."""
    config, option = tmp_path / 'cam.py', f'data_root={data}'
    work = ('--work-dir', tmp_path / 'work', '--cfg-options', option)
    three = save_network(config, tmp_path / 'three.pth', 3)
    other = save_network(SEGMENTOR, tmp_path / 'seg.pth', len(CLASSES))
    for path in (three, other):
        for call in (('test.py', config, path,
                      *work), ('train.py', config, '--resume', path, *work),
                     ('make_pseudo_labels.py', config, path, '--out',
                      tmp_path / 'labels', '--cfg-options', option),
                     ('export_onnx.py', config, path, '--out',
                      tmp_path / 'x.onnx', '--cfg-options',
                      'model.head.num_classes=5')):
            message = tool(*call, fails=True)
            assert 'The checkpoint does not fit the network' in message, call


def test_second_run_in_a_folder_is_refused(tool, data, tmp_path):
    config, option = tmp_path / 'cam.py', f'data_root={data}'
    cam = save_network(config, tmp_path / 'cam.pth', len(CLASSES))
    seg = save_network(SEGMENTOR, tmp_path / 'seg.pth', 3)
    out = tmp_path / 'out'
    calls = [
        ('train.py', config, '--work-dir', out, '--cfg-options', option),
        ('make_pseudo_labels.py', config, cam, '--out', out, '--cfg-options',
         option),
        ('predict.py', SEGMENTOR, seg, data / 'JPEGImages', '--out', out),
    ]
    with folder_lock(out):
        for call in calls:
            assert 'Another process is at work' in tool(*call, fails=True)
        assert os.listdir(out) == ['.lock']


def test_file_in_the_place_of_the_output(tool, data, tmp_path):
    config, option = tmp_path / 'cam.py', f'data_root={data}'
    cam = save_network(config, tmp_path / 'cam.pth', len(CLASSES))
    seg = save_network(SEGMENTOR, tmp_path / 'seg.pth', 3)
    out = tmp_path / 'out'
    out.write_text('mine')
    for call in (
        ('train.py', config, '--work-dir', out, '--cfg-options', option),
        ('make_pseudo_labels.py', config, cam, '--out', out, '--cfg-options',
         option),
        ('predict.py', SEGMENTOR, seg, data / 'JPEGImages', '--out', out),
    ):
        assert f'{out} is no folder' in tool(*call, fails=True)
    assert out.read_text() == 'mine'


@pytest.fixture
def small_disk():
    """No file may become larger than this; Python ignores the signal."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size or soft, hard))

    yield limit
    limit(None)


def test_full_disk_while_labels_are_made(tool, data, tmp_path, small_disk):
    config, option = tmp_path / 'cam.py', f'data_root={data}'
    cam = save_network(config, tmp_path / 'cam.pth', len(CLASSES))

    def make(out, **kwargs):
        return tool('make_pseudo_labels.py', config, cam, '--out',
                    tmp_path / out, '--work-dir', tmp_path / 'log',
                    '--cfg-options', option, **kwargs)

    make('whole')
    sizes = [p.stat().st_size for p in (tmp_path / 'whole/seeds').iterdir()]
    (tmp_path / 'log').rename(tmp_path / 'first_log')
    small_disk(min(sizes) - 1)
    try:
        message = make('out', fails=True)
    finally:
        small_disk(None)
    assert 'make room' in message
    with pytest.raises(FileNotFoundError):
        check_complete(tmp_path / 'out')
    make('out')
    for path in (tmp_path / 'whole').rglob('*'):
        if path.suffix in ('.npz', '.png'):
            other = tmp_path / 'out' / path.relative_to(tmp_path / 'whole')
            assert other.read_bytes() == path.read_bytes()


def test_full_disk_while_a_checkpoint_is_written(tool, tmp_path, small_disk):
    words = ('train.py', TOY, '--work-dir', tmp_path / 'out')
    tool('train.py', TOY, '--work-dir', tmp_path / 'whole')
    size = (tmp_path / 'whole/epoch_2.pth').stat().st_size
    small_disk(size - 1000)
    try:
        message = tool(*words, fails=True)
    finally:
        small_disk(None)
    assert 'make room' in message and '--resume' in message
    tool(*words, '--resume')
    got, want = [
        read_checkpoint(tmp_path / name / 'epoch_3.pth')
        for name in ('out', 'whole')
    ]
    torch.testing.assert_close(
        got['state_dict'], want['state_dict'], rtol=0, atol=0)


def test_lists_of_ids(tool, data, tmp_path):
    seg = save_network(SEGMENTOR, tmp_path / 'seg.pth', 3)
    ids = tmp_path / 'ids.txt'
    run = partial(tool, 'predict.py', SEGMENTOR, seg, data / 'JPEGImages',
                  '--out', tmp_path / 'out', '--ids', ids)
    for text, message in (('', f'{ids} lists no image'),
                          ('../x\n', f'{ids}:1: id ../x leads out'),
                          ('a\na\n', f'{ids}:2: id a is at {ids}:1 already')):
        ids.write_text(text)
        assert message in run(fails=True)
    assert not (tmp_path / 'out').exists()
    ids.write_bytes(f'\ufeff{first_id(data)} \r\n\r\n'.encode())
    run()
    assert len(list((tmp_path / 'out/SegmentationClass').iterdir())) == 1


def test_manifest_changed_by_hand(tool, data, tmp_path):
    config, option = tmp_path / 'cam.py', f'data_root={data}'
    cam = save_network(config, tmp_path / 'cam.pth', len(CLASSES))
    run = partial(tool, 'make_pseudo_labels.py', config, cam, '--out',
                  tmp_path / 'labels', '--cfg-options', option)
    run()
    path = tmp_path / 'labels/manifest.json'
    whole = path.read_text()
    content = json.loads(whole)
    content['settings']['dataset']['classes'][0] = 'other'
    for text in (json.dumps(content), whole[:-20]):
        path.write_text(text)
        assert f'{path} is not a manifest' in run(fails=True)
    path.write_text(whole)
    run()
