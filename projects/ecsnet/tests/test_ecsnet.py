# Copyright (c) mmktse authors. All rights reserved.
import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.model import BaseModule, MMDistributedDataParallel
from mmengine.optim import build_optim_wrapper
from mmpretrain.structures import DataSample
from torch import nn

from mmktse.models.utils import erasing_norm
from mmktse.registry import MODELS
from projects.ecsnet.ecsnet import LabelSelector

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
LABELS = [[0], [1, 2], [2], [0, 2]]


class PooledBackbone(BaseModule):
    """Stride 4; an image's mirror has mirrored features."""

    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.conv = nn.Conv2d(3, 8, 1)

    def forward(self, x):
        return (self.conv(nn.functional.avg_pool2d(x, 4)).relu(), )


def build(type='ECSNet', source='cam', head=None, **kwargs):
    MODELS.register_module(
        name='PooledBackbone', module=PooledBackbone, force=True)
    torch.manual_seed(0)
    head = head or dict(type='ECSHead', seg_channels=6, dilation=1)
    model = MODELS.build(
        dict(
            type=type,
            backbone=dict(type='PooledBackbone'),
            head=dict(
                num_classes=3,
                in_channels=8,
                init_cfg=dict(type='Normal', layer='Conv2d', std=1.),
                **head),
            data_preprocessor=dict(mean=MEAN, std=STD, to_rgb=True),
            **kwargs))
    model.init_weights()
    model.label_source = source
    return model.train()


def batch(labels=LABELS, size=(32, 48)):
    """Images with patches of one colour, and their labels."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.randint(
        0, 256, (len(labels), 3, 4, 6), generator=generator).float()
    images = nn.functional.interpolate(coarse, size=size).byte()
    return dict(
        inputs=list(images),
        data_samples=[DataSample().set_gt_label(label) for label in labels])


def losses_of(model, data):
    return model(**model.data_preprocessor(data, True), mode='loss')


def labels_of(model, data):
    """Labels of a step."""
    seen = []
    handle = model.seg_loss.register_forward_pre_hook(
        lambda module, args: seen.append(args[1]))
    losses_of(model, data)
    handle.remove()
    return seen[0]


def gradients(model, data, *names):
    losses = losses_of(model, data)
    model.zero_grad()
    sum(losses[name] for name in names).backward()
    return {
        name: param.grad.clone()
        for name, param in model.named_parameters() if param.grad is not None
    }


def test_warm_up_has_no_segmentation():
    losses = losses_of(build(source=None), batch())
    assert {n for n in losses if 'loss' in n} == {'loss_cls', 'loss_erased'}


@pytest.mark.parametrize('source', ['cam', 'seg'])
def test_full_step(source):
    model = build(source=source)
    losses = losses_of(model, batch())
    assert {n
            for n in losses
            if 'loss' in n} == {'loss_cls', 'loss_erased', 'loss_seg'}
    assert 0 < losses['label_fg'] < 1 and 0 < losses['label_ignore'] < 1
    assert 0 <= losses['label_r2'] <= losses['label_fg']
    sum(v for n, v in losses.items() if 'loss' in n).backward()
    for name, param in model.named_parameters():
        assert param.grad.isfinite().all() and param.grad.any(), name


def test_without_both_terms_a_step_is_that_of_the_plain_network():
    models = [
        build('CAMClassifier', head=dict(type='CAMHead')),
        build(source=None, erased_weight=0.)
    ]
    models[1].load_state_dict(models[0].state_dict(), strict=False)
    for model in models:
        wrapper = build_optim_wrapper(model,
                                      dict(optimizer=dict(type='SGD', lr=.1)))
        logs = model.train_step(batch(), wrapper)
        assert set(logs) == {'loss', 'loss_cls', 'cam_peak', 'cam_empty'}
    moved = dict(models[1].named_parameters())
    for name, param in models[0].named_parameters():
        assert torch.equal(param, moved[name]), name


def test_a_step_is_what_the_parts_give():
    model = build()
    data = model.data_preprocessor(batch(), True)
    inputs = data['inputs']
    losses = model(**data, mode='loss')
    maps = model.score_maps(inputs)
    targets = model.targets(data['data_samples'], maps)
    cams = erasing_norm(model.head.scores(maps))
    score_map = (cams * targets[..., None, None]).amax(1, keepdim=True)
    erased = model.eraser(inputs, score_map)
    assert not torch.equal(erased, inputs)
    scores = model(erased)
    labels, _ = model.selector(cams, erasing_norm(scores), targets,
                               scores.mean((2, 3)).sigmoid(), score_map > .6,
                               torch.zeros_like(score_map), cams)
    torch.testing.assert_close(
        losses['loss_seg'],
        model.seg_loss(model.head.seg_logits(maps), labels))
    # Nothing was erased but for a twentieth.
    area = (cams > .2) & (targets[..., None, None] > 0)
    left = (area & (score_map <= .6)).sum((2, 3)) / area.sum((2, 3))
    assert (left[targets > 0] >= .05).all()
    torch.testing.assert_close(losses['loss_erased'],
                               model.head.loss(scores, targets))


@pytest.mark.parametrize('weight', [0., 1.])
def test_no_gradient_reaches_the_pass_that_labels(weight):
    model, data = build(erased_weight=weight), batch()
    online = gradients(model, data, 'loss_seg')

    class Fixed(nn.Module):
        labels = labels_of(model, data)

        def forward(self, *args):
            assert not any(arg.requires_grad for arg in args)
            return self.labels, {}

    assert not Fixed.labels.requires_grad
    model.selector = Fixed()
    fixed = gradients(model, data, 'loss_seg')
    assert online.keys() == fixed.keys()
    for name in fixed:
        torch.testing.assert_close(fixed[name], online[name])
    # The one pass of the image alone.
    inputs = model.data_preprocessor(data, True)['inputs']
    logits = model.head.seg_logits(model.score_maps(inputs))
    model.zero_grad()
    model.seg_loss(logits, Fixed.labels).backward()
    torch.testing.assert_close(model.backbone.conv.weight.grad,
                               fixed['backbone.conv.weight'])


@pytest.mark.parametrize('source', [None, 'cam', 'seg'])
def test_no_gradient_reaches_what_is_erased(source):
    """Nor what labels; a mask that fades could pass one on."""
    model = build(
        source=source,
        num_erasures=2,
        eraser=dict(type='ImageEraser', mode='soft'))
    seen = []
    for part in (model.eraser, model.selector):
        part.register_forward_pre_hook(lambda module, args: seen.extend(args))
    losses_of(model, batch())
    assert len(seen) == 2 * 2 + (7 if source else 0)
    assert not any(x.requires_grad for x in seen)


@pytest.mark.parametrize('loss', [
    dict(type='BalancedSegLoss'),
    dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)
])
def test_ignored_cells(loss):
    loss = MODELS.build(loss)
    logits = torch.randn(2, 4, 5, 5, requires_grad=True)
    labels = torch.randint(0, 4, (2, 5, 5))
    labels[:, 2] = 255
    loss(logits, labels, ignore_index=255).backward()
    assert not logits.grad[:, :, 2].any() and logits.grad[:, :, 0].any()
    logits.grad = None
    nothing = loss(logits, torch.full_like(labels, 255), ignore_index=255)
    nothing.backward()
    assert nothing == 0 and not logits.grad.any()


def test_nothing_labelled():
    model = build(selector=dict(type='LabelSelector', clauses=('R5', )))
    grads = gradients(model, batch(), 'loss_cls', 'loss_erased', 'loss_seg')
    assert losses_of(model, batch())['loss_seg'] == 0
    assert all(grad.isfinite().all() for grad in grads.values())
    assert grads['backbone.conv.weight'].any()


def test_no_class_and_no_activation():
    data = batch([[], [0]])
    model = build()
    assert set(labels_of(model, data)[0].unique().tolist()) == {0}
    nn.init.zeros_(model.head.classifier.weight)
    labels = labels_of(model, data)
    # A class that has to be somewhere leaves no confident background.
    assert (labels[0] == 0).all() and (labels[1] == 255).all()
    assert all(x.isfinite() for x in losses_of(model, data).values())


def test_labels_of_mirrored_images_are_mirrored():
    model, data = build(), batch()
    labels = labels_of(model, data)
    assert len(labels.unique()) > 2
    data['inputs'] = [image.flip(-1) for image in data['inputs']]
    assert torch.equal(labels_of(model, data), labels.flip(-1))


@pytest.mark.parametrize('source', ['cam', 'seg'])
def test_order_of_the_batch_does_not_matter(source):
    model, data = build(source=source), batch()
    labels = labels_of(model, data)
    order = [2, 0, 3, 1]
    shuffled = {k: [v[i] for i in order] for k, v in data.items()}
    assert torch.equal(labels_of(model, shuffled), labels[order])


def test_padding_is_ignored():
    model, data = build(), batch()
    data['data_samples'][0].set_metainfo(dict(img_box=(4, 32, 9, 30)))
    data['data_samples'][1].set_metainfo(dict(img_shape=(16, 48)))
    model.selector = LabelSelector(clauses=('R0', ))
    ignored = labels_of(model, data) == 255
    wanted = torch.zeros_like(ignored)
    # Cells of 4 pixels whose centre lies outside.
    wanted[0, :1] = wanted[0, :, :2] = wanted[0, :, 7:] = True
    wanted[1, 4:] = True
    assert torch.equal(ignored, wanted)


def test_padding_counts_as_erased():
    model, data = build(), batch()
    data['data_samples'][2].set_metainfo(dict(img_box=(0, 16, 0, 48)))
    seen = []
    model.selector.register_forward_pre_hook(
        lambda module, args: seen.append(args[4]))
    losses_of(model, data)
    assert seen[0][2, :, 4:].all() and not seen[0][2].all()


def test_padding_is_no_area_of_a_class():
    """Its share that is left is one of the cells of the image."""
    model, data = build(min_visible=.6), batch()
    data['data_samples'][1].set_metainfo(dict(img_box=(0, 16, 0, 48)))
    losses = losses_of(model, data)
    data = model.data_preprocessor(data, True)
    cams = erasing_norm(model(data['inputs']))
    targets = model.targets(data['data_samples'], cams)
    cams *= targets[..., None, None]
    score_map = cams.amax(1, keepdim=True)
    logits = model(model.eraser(data['inputs'], score_map)).mean((2, 3))
    error = nn.functional.binary_cross_entropy_with_logits(
        logits, targets, reduction='none')

    def mean(area):
        left = (area & (score_map <= .6)).sum((2, 3))
        return error[left >= .6 * area.sum((2, 3))].mean()

    area = cams > .2
    unlike = mean(area)
    area[1, :, 4:] = False
    torch.testing.assert_close(losses['loss_erased'], mean(area))
    assert not torch.isclose(losses['loss_erased'], unlike)


def test_classes_that_are_erased_whole_are_not_demanded():
    model = build()
    seed = torch.zeros(2, 3, 2, 10)
    seed[0, 0], seed[0, 1, 0] = .9, .9
    erased = torch.ones(2, 1, 2, 10, dtype=torch.bool)
    # One of twenty cells of the first class is left, none of the second.
    erased[0, 0, 1, 9] = False
    targets = torch.tensor([[1., 1., 0.], [0., 0., 1.]])
    scores = torch.randn(2, 3, 2, 10)
    error = nn.functional.binary_cross_entropy_with_logits(
        scores.mean((2, 3)), targets, reduction='none')
    padding = torch.zeros_like(erased)
    error[0, 1] = 0
    torch.testing.assert_close(
        model._erased_loss(scores, seed, erased, padding, targets),
        error.sum() / 5)
    # What is left is padding.
    padding[0, 0, 1, 9] = True
    error[0, 0] = 0
    torch.testing.assert_close(
        model._erased_loss(scores, seed, erased, padding, targets),
        error.sum() / 4)


@pytest.mark.parametrize('head, source', [('ECSHead', 'seg'),
                                          ('SegFromCAMHead', 'cam'),
                                          ('SegFromCAMHead', 'seg')])
def test_segmentation_as_a_source(head, source):
    head = dict(type=head)
    model = build(source=source, head=head)
    seen = []
    model.selector.register_forward_pre_hook(lambda module, args: seen.append(
        (args[1], args[5])))
    losses = losses_of(model, batch())
    losses['loss_seg'].backward()
    (again, background), = seen
    assert 0 <= again.min() and again.max() <= 1
    assert background.any() == (source == 'seg')
    if source == 'seg':
        # Absent classes have no share; of a single one it is more than half,
        # or else background is the best.
        assert not again[0, 1:].any() and again.sum(1).max() <= 1 + 1e-6
        shown = again[0, 0] > 0
        assert shown.any() and not shown.all()
        assert again[0, 0][shown].min() > .5
        sums = again.sum(1, keepdim=True) + background
        torch.testing.assert_close(sums[0, 0][shown], sums[0, 0][shown]**0)


@pytest.mark.parametrize('source, calls', [(None, [0, 0]), ('cam', [1, 0]),
                                           ('seg', [1, 1])])
def test_the_branch_runs_where_it_is_read(source, calls):
    counts = [0, 0]

    def count(head, place):

        def add(*args):
            counts[place] += 1

        head.seg_conv.register_forward_hook(add)

    model = build(source=source)
    count(model.head, 0)
    losses_of(model, batch())
    assert counts[0] == sum(calls)
    # The teacher labels in its place.
    model = build(source=source, teacher_momentum=.25)
    for place, network in enumerate((model, model.teacher.module)):
        count(network.head, place)
    counts[:] = [0, 0]
    losses_of(model, batch())
    assert counts == calls
    for seed in ('cam', 'seg'):
        model = build(test_cfg=dict(seed=seed))
        count(model.head, 0)
        counts[0] = 0
        predict(model, batch())
        assert (counts[0] > 0) == (seed == 'seg')


@pytest.mark.parametrize('source, options, calls', [
    (None, dict(), [2, 1]),
    (None, dict(num_erasures=2), [3, 2]),
    (None, dict(erased_weight=0.), [1, 0]),
    ('cam', dict(), [2, 2]),
    ('cam', dict(num_erasures=2), [3, 3]),
    ('cam', dict(erased_weight=0.), [1, 2]),
])
def test_the_teacher_runs_where_it_is_read(source, options, calls):
    model = build(source=source, teacher_momentum=.25, **options)
    counts = []
    for network in (model, model.teacher.module):
        network.backbone.register_forward_hook(
            lambda module, *args: counts.append(module))
    losses_of(model, batch())
    assert calls == [
        counts.count(network.backbone)
        for network in (model, model.teacher.module)
    ]


@pytest.mark.parametrize('options', [
    dict(),
    dict(erased_weight=0.),
    dict(teacher_momentum=.25),
    dict(head=dict(type='SegFromCAMHead'))
])
def test_distributed_training_from_the_warm_up_on(options):
    """Parameters without a gradient would stop the next step."""
    dist.init_process_group(
        'gloo', store=dist.HashStore(), rank=0, world_size=1)
    try:
        model = build(source=None, **options)
        wrapped = MMDistributedDataParallel(model)
        optimizer = build_optim_wrapper(
            model, dict(optimizer=dict(type='SGD', lr=.1, weight_decay=.1)))
        for source in (None, None, 'cam', 'seg', 'seg'):
            model.label_source = source
            before = {k: v.clone() for k, v in model.named_parameters()}
            wrapped.train_step(batch(), optimizer)
            # The branch decays until it is trained.
            for name, param in model.head.named_parameters():
                decayed = before[f'head.{name}'] * .99
                alone = source is None and 'seg_' in name
                assert torch.allclose(param, decayed) == alone, name
    finally:
        dist.destroy_process_group()


def test_no_erasure():
    with pytest.raises(ValueError, match='num_erasures is 0; labels need'):
        build(num_erasures=0)


def test_two_erasures():
    model = build(num_erasures=2, source=None)
    areas = []
    model.eraser.register_forward_hook(
        lambda module, args, output: areas.append((output == 0).sum()))
    assert losses_of(model, batch())['loss_erased'] > 0
    assert len(areas) == 2 and areas[0] < areas[1]


def test_what_a_former_erasure_shows_is_no_seed():
    """Nothing passes a threshold of 2: the foreground is the seed's."""
    shares = [
        losses_of(
            build(
                num_erasures=number,
                selector=dict(type='LabelSelector', presence_threshold=2.)),
            batch())['label_fg'] for number in (1, 2)
    ]
    assert shares[0] == shares[1] > 0


@pytest.mark.parametrize('clauses', [LabelSelector.CLAUSES[:6], ('R0', )])
def test_what_is_erased_is_no_background(clauses):
    model = build(
        source='seg',
        num_erasures=2,
        selector=dict(type='LabelSelector', clauses=clauses, bg_threshold=.26))
    seen = []
    model.selector.register_forward_pre_hook(
        lambda module, args: seen.append(args))
    background = labels_of(model, batch()) == 0
    (seed, again, targets, _, erased, *_), = seen
    erased = erased[:, 0]
    assert background.any() and not (background & erased).any()
    # By the CAM and the last pass alone some of it would be.
    shown = torch.maximum(seed, again) * targets[..., None, None]
    assert (erased & (shown.amax(1) < .26)).any()


def test_teacher_follows_the_network():
    model = build(teacher_momentum=.25)
    optimizer = build_optim_wrapper(model,
                                    dict(optimizer=dict(type='SGD', lr=.1)))
    weight = model.backbone.conv.weight
    steps = [weight.detach().clone()]
    for _ in range(2):
        assert 'loss_seg' in model.train_step(batch(), optimizer)
        steps.append(weight.detach().clone())
    average = model.teacher.module.backbone.conv.weight
    # Updated before each step, by what was there before it.
    torch.testing.assert_close(average, .75 * steps[0] + .25 * steps[1])
    assert not torch.equal(steps[0], steps[1])
    assert not average.requires_grad and not model.teacher.training
    # The teacher makes the labels.
    before = labels_of(model, batch())
    for param in model.teacher.module.head.parameters():
        param.data.neg_()
    assert not torch.equal(labels_of(model, batch()), before)


def predict(model, data):
    model.eval()
    for sample in data['data_samples']:
        sample.set_metainfo(dict(ori_shape=(32, 48)))
    with torch.no_grad():
        return model(**model.data_preprocessor(data), mode='predict')


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('seed', ['cam', 'seg'])
def test_seeds_by_hand(seed, flip):
    model, data = build(test_cfg=dict(seed=seed, flip=flip)), batch()
    samples = predict(model, data)
    inputs = model.data_preprocessor(data)['inputs']
    views = [model.score_maps(inputs)]
    if flip:
        views.append(model.score_maps(inputs.flip(-1)).flip(-1))
    for number, (sample, labels) in enumerate(zip(samples, LABELS)):
        maps = torch.stack([view[number] for view in views])
        if seed == 'seg':
            channels = [0, *(label + 1 for label in labels)]
            maps = model.head.seg_logits(maps)[:, channels].softmax(1)[:, 1:]
        else:
            maps = maps[:, labels]
        maps = nn.functional.interpolate(maps, (32, 48), mode='bilinear')
        if seed == 'seg':
            wanted = maps.mean(0)
        else:
            wanted = maps.relu().sum(0)
            wanted /= wanted.amax((1, 2), keepdim=True) + 1e-5
        torch.testing.assert_close(sample.cam, wanted)
        assert sample.cam_classes.tolist() == labels


def test_seeds_without_a_class():
    model = build(test_cfg=dict(seed='seg'))
    assert predict(model, batch([[]]))[0].cam.shape == (0, 32, 48)


@pytest.mark.parametrize('head, seed', [('ECSHead', 'crf'),
                                        ('SegFromCAMHead', 'seg')])
def test_seeds_that_the_head_has_not(head, seed):
    with pytest.raises(ValueError, match=f'"{seed}"; {head} gives cam'):
        build(head=dict(type=head), test_cfg=dict(seed=seed))


TWO = dict(
    min_visible=.6, selector=dict(type='LabelSelector', bg_threshold=.3))


def _rank(rank, port, path):
    os.environ.update(
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
        RANK=str(rank),
        WORLD_SIZE='2')
    torch.set_num_threads(1)
    dist.init_process_group('gloo')
    data = {k: v[rank::2] for k, v in batch().items()}
    torch.save(_terms(data), f'{path}/{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


def _terms(data):
    model = build(**TWO)
    losses = losses_of(model, data)
    names = [name for name in losses if 'loss' in name]
    grads = gradients(model, data, *names)
    return {n: losses[n].detach() for n in names}, grads


def test_two_processes_equal_one(tmp_path):
    model = build(**TWO)
    # Unequal shares, and a class that one of them leaves out.
    counts = [(labels_of(model, batch()) == 0)[rank::2].sum()
              for rank in range(2)]
    assert counts[0] != counts[1]
    assert losses_of(build(), batch())['loss_erased'] != losses_of(
        model, batch())['loss_erased']
    mp.spawn(
        _rank, args=(20000 + os.getpid() % 20000, str(tmp_path)), nprocs=2)
    parts = [
        torch.load(tmp_path / f'{rank}.pth', weights_only=True)
        for rank in range(2)
    ]
    for wanted, first, second in zip(_terms(batch()), *parts):
        for name, value in wanted.items():
            # DistributedDataParallel averages.
            torch.testing.assert_close((first[name] + second[name]) / 2, value)
