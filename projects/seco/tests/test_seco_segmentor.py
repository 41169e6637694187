# Copyright (c) mmktse authors. All rights reserved.
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config, ConfigDict
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, PARAM_SCHEDULERS, DefaultScope
from mmpretrain.structures import DataSample
from mmseg.structures import SegDataSample

from projects.seco.seco import (ImageDecomposition, banded_label,
                                multi_scale_cam, token_label)

SCHEDULE = Path(__file__).parents[1] / 'configs/_base_/schedule_20k.py'
CONFIG = dict(
    type='mmktse.SeCo',
    data_preprocessor=dict(
        type='mmktse.ViewsDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375]),
    backbone=dict(
        type='mmktse.SeCoViT',
        arch=dict(
            embed_dims=48,
            num_layers=12,
            num_heads=3,
            feedforward_channels=192)),
    decode_head=dict(
        type='mmktse.DeepLabV2Head',
        in_channels=48,
        in_index=1,
        num_classes=6,
        align_corners=False,
        loss_decode=dict(type='mmktse.BalancedSegLoss', eps=1e-6)),
    cam_head=dict(type='mmktse.GMPHead', in_channels=48, in_index=1),
    aux_head=dict(type='mmktse.GMPHead', in_channels=48, in_index=0),
    projector=dict(
        type='mmktse.SeCoProjector',
        in_channels=48,
        hidden_channels=128,
        out_channels=48),
    ptc=dict(type='mmktse.PTCLoss'),
    lil=dict(type='mmktse.LILLoss'),
    lig=dict(type='mmktse.LIGLoss'),
    reg=dict(type='mmktse.DenseEnergyLoss', exact=True),
    schedule=dict(
        weights=dict(ptc=.3, lig=.5, lil=.5, seg=.12, reg=.05),
        start=dict(
            ptc=0,
            lig=1001,
            lil=1001,
            seg=2001,
            reg=2001,
            prototypes=600,
            main_roi=10000,
            main_mask=0)),
    cam_scales=(1, .5, .75, 1.5),
    thresholds=(.7, .25),
    decomposition=dict(num_crops=2, crop_size=32),
    queue=dict(size=24, channels=48),
    prototypes=dict(channels=48),
    momentum=.9,
    test_cfg=dict(mode='whole'))


def build(config=CONFIG):
    with DefaultScope.overwrite_default_scope('mmseg'):
        return MODELS.build(ConfigDict(config))


def set_iteration(iteration):
    MessageHub.get_current_instance().update_info('iter', iteration)


@pytest.fixture
def network(seco_weights, seco_fill, seco_convert):
    """With the weights of the golden step."""
    model = build()
    state = seco_convert({
        name:
        seco_fill(name, shape_for_five(name, value.shape))
        for name, value in seco_weights.items()
    })
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected
    assert set(missing) == {
        'teacher.steps', 'teacher_projector.steps', 'queue.keys', 'queue.tags',
        'queue.pointer', 'prototypes.vectors'
    }
    # The golden teacher is no copy of the student.
    model.teacher.steps += 1
    model.teacher_projector.steps += 1
    model.queue.keys.copy_(
        F.normalize(seco_fill('input.queue', (24, 48)), dim=0))
    model.prototypes.vectors.copy_(seco_fill('input.prototypes', (5, 48)))
    return model.train()


def shape_for_five(name, shape):
    """The stored shapes are those of 20 classes."""
    if name.startswith(('classifier', 'aux_classifier')):
        return (5, *shape[1:])
    return (6, *shape[1:]) if name.startswith('decoder') else shape


def make_samples(data):
    samples = []
    for label, box in zip(data['cls_label'], data['img_box']):
        sample = SegDataSample()
        sample.set_data(
            dict(gt_label=label.nonzero()[:, 0], img_box=box.long()))
        samples.append(sample)
    return samples


@pytest.fixture
def step(seco_parity, seco_fill, network, monkeypatch):
    """The golden step, with what its parts gave."""
    data = seco_parity('c12_train_step')
    views = dict(
        base=f'step_x{int(data["draw"])}', second='step_w', strong='step_s')
    inputs = {
        view: seco_fill(f'input.{name}', (3, 3, 80, 80))
        for view, name in views.items()
    }
    seen = {}

    def watch(owner, name, key):
        function = getattr(owner, name)

        def spy(*args):
            result = seen[key] = function(*args)
            seen[f'{key}_args'] = args
            return result

        monkeypatch.setattr(owner, name, spy)

    # Some values of these images are beyond 8 bits, which wrap around there.
    label = network.labeler.forward
    network.labeler.truncate_image = False
    monkeypatch.setattr(
        network.labeler, 'forward', lambda images, *args: label(
            (images * 255).trunc() % 256 / 255, *args))
    watch(network, 'cams', 'cams')
    watch(ImageDecomposition, '__call__', 'decomposition')
    watch(network.labeler, 'forward', 'mask')
    watch(network.projector, 'forward', 'queries')
    watch(network.lil, 'forward', 'lil')
    watch(network.ptc, 'forward', 'ptc')
    watch(network, 'conquer', 'conquer')
    set_iteration(int(data['iteration']))
    return data, network.loss(inputs, make_samples(data)), seen


@pytest.mark.parity
def test_golden_step(step):
    data, losses, seen = step
    present = data['cls_label'].bool()
    for name, got in zip(('main', 'aux'), seen['cams']):
        torch.testing.assert_close(
            got[present][:, ::4, ::4],
            data[f'cam_{name}_s4'][present],
            rtol=0,
            atol=2e-4)
    for got, name in ((seen['conquer_args'][3], 'roi'), (seen['mask'],
                                                         'refined'),
                      (seen['decomposition'][0],
                       'top_left'), (seen['decomposition'][1], 'tags'),
                      (seen['lil'][1], 'tags_revised'), (seen['ptc_args'][1],
                                                         'ptc_label')):
        assert torch.equal(got, data[name].long()), name
    torch.testing.assert_close(
        seen['queries'], data['queries'], rtol=0, atol=2e-5)
    names = ('cls', 'aux', 'ptc', 'lig', 'lil', 'seg', 'reg')
    for name, weight in zip(names, data['weights'].tolist()):
        torch.testing.assert_close(
            losses[f'loss_{name}'].double(),
            weight * data[f'loss_{name}'].double().squeeze(),
            rtol=2e-5,
            atol=0)
    total = sum(losses.values())
    torch.testing.assert_close(total, data['loss_total'], rtol=2e-5, atol=0)


@pytest.mark.parity
def test_golden_update(seco_parity, network, seco_names):
    """What the settings of VOC make of the stored gradients."""
    data = seco_parity('c12_train_step')
    cfg = Config.fromfile(SCHEDULE)
    optimizer = build_optim_wrapper(network, cfg.optim_wrapper).optimizer
    scheduler = PARAM_SCHEDULERS.build(
        cfg.param_scheduler[0], default_args=dict(optimizer=optimizer))
    for _ in range(int(data['iteration'])):
        optimizer._global_step += 1
        scheduler.step()
    params = dict(network.named_parameters())
    rates = {
        group['params'][0]: group['lr']
        for group in optimizer.param_groups
    }
    for name in data['watch'].tolist():
        param = params[seco_names[name]]
        # Backbone, backbone's norms, heads and projector, decode head.
        index = 3 if 'decoder' in name else 0 if 'encoder' in name else 2
        assert rates[param] == pytest.approx(float(data['lr'][index]))
        assert torch.equal(param, data[f'before_{name}'])
        param.grad = data[f'grad_{name}'].clone()
    optimizer.step()
    for name in data['watch'].tolist():
        torch.testing.assert_close(
            params[seco_names[name]].detach(),
            data[f'after_{name}'],
            rtol=0,
            atol=5e-7)


@pytest.mark.parity
def test_golden_gradients(step, network, seco_names):
    data, losses, _ = step
    sum(losses.values()).backward()
    params = dict(network.named_parameters())
    grads = {
        theirs: params[seco_names[theirs]].grad
        for theirs in data['grad_norm_names'].tolist()
    }
    norms = torch.stack([grad.double().norm() for grad in grads.values()])
    torch.testing.assert_close(norms, data['grad_norms'], rtol=2e-4, atol=1e-9)
    for theirs in data['watch'].tolist():
        want = data[f'grad_{theirs}']
        error = (grads[theirs] - want).abs().max()
        assert error <= 2e-4 * want.abs().max(), theirs
    # All others have none: the teachers, and the position table.
    without = {name for name, param in params.items() if param.grad is None}
    assert without == {
        name
        for name, param in params.items() if not param.requires_grad
    } == {'backbone.pos_embed'
          } | {name
               for name in params if name.startswith('teacher')}


@pytest.fixture
def batch():
    """Two images of 64 pixels, the second one of two classes."""
    samples = []
    for label in ([3], [0, 4]):
        sample = SegDataSample(
            metainfo=dict(ori_shape=(40, 50), img_shape=(64, 64)))
        sample.set_data(
            dict(
                gt_label=torch.tensor(label),
                img_box=torch.tensor([0, 64, 8, 64])))
        samples.append(sample)
    views = {
        name: torch.randn(2, 3, 64, 64)
        for name in ('base', 'strong', 'second')
    }
    return views, samples


SMALL = dict(
    CONFIG,
    backbone=dict(
        type='mmktse.SeCoViT',
        arch=dict(
            embed_dims=48, num_layers=4, num_heads=3,
            feedforward_channels=96)),
    queue=dict(size=16, channels=48))


def test_terms_that_have_not_begun(batch):
    """They are 0, their parameters get gradients of 0, which lets them decay;
    teachers and queue go on."""
    model = build(SMALL)
    before = model.prototypes.vectors.clone()
    set_iteration(0)
    losses = model.loss(*batch)
    late = [losses[f'loss_{name}'] for name in ('lil', 'lig', 'seg', 'reg')]
    assert not any(late)
    assert all(losses[f'loss_{name}'] > 0 for name in ('cls', 'aux', 'ptc'))
    sum(losses.values()).backward()
    for part in (model.projector, model.decode_head):
        for param in part.parameters():
            assert not param.grad.any()
    assert model.cam_head.classifier.weight.grad.any()
    assert model.queue.pointer == 8 and model.teacher.steps == 1
    assert torch.equal(model.prototypes.vectors, before)

    set_iteration(600)
    model.loss(*batch)
    # Of the first image: the second one has two classes.
    moved = (model.prototypes.vectors - F.normalize(before)).abs().amax(1)
    assert (moved > 1e-3).tolist() == [False, False, False, True, False]


def test_what_has_not_begun_is_not_computed(batch):
    schedule = CONFIG['schedule']
    start = dict(schedule['start'], ptc=1, lil=1, lig=2)
    model = build(dict(SMALL, schedule=dict(schedule, start=start)))
    sizes, pairs = [], []
    model.backbone.register_forward_pre_hook(
        lambda module, args: sizes.append(args[0].shape[2]))
    model.ptc.register_forward_pre_hook(lambda *args: pairs.append(args))
    for iteration in range(3):
        set_iteration(iteration)
        losses = model.loss(*batch)
        # The student sees its crops, of 32 pixels, when they are compared;
        # so small is no other view but the CAM's at scale 0.5.
        assert sizes.count(32) == 1 + (iteration > 0)
        assert len(pairs) == iteration
        assert (losses['loss_ptc'] > 0) == (iteration > 0)
        assert (losses['loss_lil'] > 0) == (iteration > 0)
        assert (losses['loss_lig'] > 0) == (iteration > 1)
        sizes.clear()


def test_which_cam_is_used(batch, monkeypatch):
    """Crops and masks change from the auxiliary to the main CAM on their own.

    The labels of tokens always come from the auxiliary one.
    """
    schedule = CONFIG['schedule']
    start = dict(schedule['start'], main_roi=2, main_mask=1)
    model = build(dict(SMALL, schedule=dict(schedule, start=start)))
    main, aux = torch.rand(2, 2, 5, 64, 64)
    monkeypatch.setattr(model, 'cams', lambda *args: [main, aux])
    seen = {}

    def conquer(iteration, inputs, tokens, roi, targets):
        seen['roi'] = roi
        return dict(loss_lil=0., loss_lig=0.)

    def segment(iteration, images, feats, cams, *args):
        seen['cams'] = cams
        return dict(loss_seg=0., loss_reg=0.)

    monkeypatch.setattr(model, 'conquer', conquer)
    monkeypatch.setattr(model, 'segment', segment)
    monkeypatch.setattr(
        model.ptc, 'forward',
        lambda feats, labels: seen.update(tokens=labels) or feats.sum())
    targets = model.targets(batch[1], main)
    boxes = torch.stack([sample.img_box for sample in batch[1]])
    args = targets, boxes, model.thresholds
    for iteration, roi, mask in ((0, aux, aux), (1, aux, main), (2, main,
                                                                 main)):
        set_iteration(iteration)
        model.loss(*batch)
        assert torch.equal(seen['roi'], banded_label(roi, *args, band=-1))
        assert seen['cams'] is mask
        assert torch.equal(seen['tokens'], token_label(aux, *args, (4, 4)))


def test_variant_without_the_slips(batch):
    model = build(dict(SMALL, faithful=False))
    parts = (model.queue, model.prototypes, model.decompose, model.lil)
    assert not any(part.faithful for part in parts)
    set_iteration(2001)
    sum(model.loss(*batch).values()).backward()
    assert all(param.grad.isfinite().all() for param in model.parameters()
               if param.requires_grad)


def test_masks_and_scores(batch):
    """As a network that predicts it is a stock one."""
    model = build(SMALL)
    model.eval()
    views, samples = batch
    with torch.no_grad():
        assert model(views['base']).shape == (2, 6, 4, 4)
        first, _ = model.predict(views['base'], samples)
    assert first.seg_logits.data.shape == (6, 40, 50)
    assert first.pred_sem_seg.data.shape == (1, 40, 50)


def test_seeds(batch):
    model = build(dict(SMALL, type='mmktse.SeCoSeeds', seed_scales=(1, .5)))
    model.eval()
    images = batch[0]['base']
    known = DataSample(metainfo=dict(ori_shape=(40, 50))).set_gt_label([0, 4])
    unknown = DataSample(metainfo=dict(ori_shape=(64, 64)))
    with torch.no_grad():
        model.predict(images, [known, unknown])
        cams, = multi_scale_cam(
            lambda x: [model.cam_head(model.extract_feat(x))], images, (1, .5))
        logits = model.cam_head.logits(model.extract_feat(images))
    assert known.cam_source == 'label' and known.cam.shape == (2, 40, 50)
    assert unknown.cam_source == 'prediction'
    classes = logits[1] > 0
    assert unknown.cam_classes.tolist() == classes.nonzero().flatten().tolist()
    torch.testing.assert_close(unknown.cam, cams[1][classes])
    torch.testing.assert_close(unknown.pred_score, logits[1].sigmoid())


@torch.no_grad()
def test_seeds_of_an_image_without_a_class(batch):
    model = build(dict(SMALL, type='mmktse.SeCoSeeds')).eval()
    # The maximum of normalised features is positive.
    model.cam_head.classifier.weight.fill_(-1)
    sample = DataSample(metainfo=dict(ori_shape=(40, 50)))
    model.predict(batch[0]['base'][:1], [sample])
    assert sample.cam.shape == (0, 40, 50) and not len(sample.cam_classes)


@torch.no_grad()
def test_seeds_of_the_auxiliary_head(batch):
    model = build(dict(SMALL, type='mmktse.SeCoSeeds', seed_head='aux_head'))
    model.eval()
    images = batch[0]['base'][:1]
    sample = DataSample(metainfo=dict(ori_shape=(64, 64))).set_gt_label([1])
    model.predict(images, [sample])
    cams, = multi_scale_cam(lambda x: [model.aux_head(model.extract_feat(x))],
                            images, (1, ))
    torch.testing.assert_close(sample.cam, cams[0, 1:2])
    logits = model.aux_head.logits(model.extract_feat(images))
    torch.testing.assert_close(sample.pred_score, logits[0].sigmoid())
