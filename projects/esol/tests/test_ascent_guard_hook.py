# Copyright (c) mmktse authors. All rights reserved.
import json
from contextlib import contextmanager
from unittest.mock import MagicMock

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import CheckpointLoader, Runner
from mmpretrain.structures import DataSample
from torch import distributed
from torch.multiprocessing import start_processes
from torch.utils.data import Dataset

import mmktse.engine.hooks  # noqa: F401
import projects.esol.esol  # noqa: F401
from mmktse.registry import DATASETS
from projects.esol.esol import AscentGuardHook


class TinyImages(Dataset):
    """Twelve fixed images of noise, each with one class."""

    metainfo = {}

    def __len__(self):
        return 12

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        return dict(
            inputs=torch.randint(
                0, 256, (3, 32, 32), dtype=torch.uint8, generator=generator),
            data_samples=DataSample().set_gt_label([index % 3]))


@pytest.fixture(autouse=True)
def dataset():
    DATASETS.register_module(name='TinyImages', module=TinyImages)
    yield
    DATASETS.module_dict.pop('TinyImages')


@pytest.fixture
def run(model_cfg, tmp_path):
    """Trains an expansion: one epoch of 6 steps at zero, three climbing."""

    def run(name,
            kappa,
            resume=False,
            max_epochs=4,
            held_epochs=1,
            window=6,
            prepare=lambda model: None,
            **head):
        torch.manual_seed(0)
        runner = Runner(
            model=model_cfg(
                'expand', lambda_e=10., clip=dict(beta=.5), **head),
            work_dir=str(tmp_path / name),
            # Loggers are kept by name.
            experiment_name=f'{tmp_path.name}_{name}_{resume}_{max_epochs}',
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=dict(type='TinyImages')),
            train_cfg=dict(type='StoppableTrainLoop', max_epochs=max_epochs),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=.05)),
            default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
            custom_hooks=[
                dict(type='EpochSeedHook'),
                dict(type='HoldOffsetsHook', epochs=held_epochs),
                dict(type='AscentGuardHook', kappa=kappa, window=window),
            ],
            log_processor=dict(window_size=1),
            visualizer=dict(
                type='Visualizer',
                vis_backends=[dict(type='LocalVisBackend')]),
            randomness=dict(seed=0),
            default_scope='mmktse',
            resume=resume)
        model = runner.model
        # Offsets matter only where the kernel sees neighbours.
        torch.nn.init.normal_(model.head.expand.kernel.weight, std=.2)
        torch.nn.init.normal_(model.head.classifier.weight, std=.2)
        model.init_weights = lambda: None
        prepare(model)
        runner.train()
        files = (tmp_path / name).glob('*/vis_data/scalars.json')
        lines = [
            json.loads(line) for file in sorted(files)
            for line in file.read_text().splitlines()
        ]
        return runner, lines

    return run


def weights(runner):
    return runner.model.state_dict()


def losses_at_zero(model):
    """Of all images, by the definition."""
    model.eval()
    for param in model.head.expand.offset.parameters():
        assert not param.any()
    images = TinyImages()
    data = model.data_preprocessor(
        dict(
            inputs=[images[i]['inputs'] for i in range(12)],
            data_samples=[images[i]['data_samples'] for i in range(12)]))
    return model(**data, mode='loss')


def test_running_loss_stops_the_ascent(run, tmp_path):
    runner, whole = run('free', kappa=1e9)
    assert len(whole) == 24
    assert all('ascent_ratio' not in line for line in whole[:6])
    ratios = [line['ascent_ratio'] for line in whole[6:]]
    # The base, with the weights after epoch 1.
    runner.load_checkpoint(str(tmp_path / 'free' / 'epoch_1.pth'))
    base = losses_at_zero(runner.model)['loss_cls'].item()
    recent = [line['loss_cls'] for line in whole[12:18]]
    assert ratios[11] == pytest.approx(sum(recent) / 6 / base, rel=1e-4)
    # A kappa between makes it stop at the first step beyond, and not before
    # there are six.
    kappa = sorted(ratios[5:])[len(ratios[5:]) // 2]
    steps = next(i for i, ratio in enumerate(ratios)
                 if i >= 5 and ratio > kappa)
    runner, stopped = run('stopped', kappa=kappa)
    assert len(stopped) == 6 + steps + 1 < 24
    assert (tmp_path / 'stopped' / 'epoch_4.pth').is_file()
    # Nothing is left to do for a resumed run.
    again, lines = run('stopped', kappa=kappa, resume=True)
    assert len(lines) == len(stopped)
    for name, value in weights(runner).items():
        assert torch.equal(weights(again)[name], value)


@pytest.mark.parametrize('epochs', [1, 2])
def test_a_resumed_run_goes_on_right(run, epochs):
    """Killed before the ascent, and after its first epoch."""
    _, free = run('free', kappa=1e9)
    kappa = free[19]['ascent_ratio'] * (1 - 1e-6)
    whole, lines = run('whole', kappa)
    run('killed', kappa, max_epochs=epochs)
    resumed, more = run('killed', kappa, resume=True)
    assert len(more) == len(lines)
    for name, value in weights(whole).items():
        assert torch.equal(weights(resumed)[name], value), name
    assert [line.get('ascent_ratio')
            for line in more] == [line.get('ascent_ratio') for line in lines]


@pytest.mark.parametrize('present_only, climbed', [(False, 'loss_cls'),
                                                   (True, 'loss_ascent')])
def test_base_without_an_epoch_at_zero(run, tmp_path, present_only, climbed):
    runner, lines = run(
        'direct',
        kappa=1e9,
        max_epochs=1,
        held_epochs=0,
        present_only=present_only)
    path = str(tmp_path / 'direct' / 'epoch_1.pth')
    hub = CheckpointLoader.load_checkpoint(path)['message_hub']
    state = hub['runtime_info']['ascent_guard']
    recent = [line[climbed] for line in lines]
    assert state['recent'] == pytest.approx(recent, rel=1e-4)
    # Nothing else was trained.
    for param in runner.model.head.expand.offset.parameters():
        param.data.zero_()
    base = losses_at_zero(runner.model)[climbed]
    assert state['base'] == pytest.approx(base.item(), rel=1e-4)


def test_window_longer_than_an_epoch(run):
    """An ascent of a few steps is stopped, too."""
    _, lines = run('short', kappa=.01, window=50)
    assert len(lines) == 12


def test_base_in_the_precision_of_the_training(run, monkeypatch):

    @contextmanager
    def half(self, model):
        with torch.autocast('cpu', torch.bfloat16):
            yield

    monkeypatch.setattr(OptimWrapper, 'optim_context', half)
    seen = []

    def prepare(model):
        model.backbone.conv.register_forward_hook(
            lambda module, args, output: seen.append(output.dtype))

    run('half', kappa=1e9, max_epochs=1, held_epochs=0, prepare=prepare)
    assert seen == [torch.bfloat16] * 12  # six for the base


def test_offsets_that_were_trained_are_refused(run):

    def prepare(model):
        model.head.expand.offset.bias.data += .1

    with pytest.raises(ValueError, match='must be the checkpoint of'):
        run('moved', kappa=3., prepare=prepare)


def runner_of(max_offset=None, steps=4):
    """A runner with what the hook looks at."""
    runner = MagicMock()
    runner.train_loop.stop_training = False
    runner.train_dataloader.__len__.return_value = steps
    runner.model.head.configure_mock(held=False, loss_weight=1.)
    runner.model.head.expand.max_offset = max_offset
    return runner


@pytest.mark.parametrize('max_offset, base, loss, stops', [
    (None, .4, .6, False),
    (None, .4, .64, True),
    (None, .65, .68, False),
    (2., .4, .64, False),
    (2., .4, 1.19, False),
    (2., .4, 1.21, True),
])
def test_points_that_leave_the_map_stop_it(max_offset, base, loss, stops):
    """Zeros have the loss ln 2, which may be less than kappa times base."""
    runner = runner_of(max_offset)
    hook = AscentGuardHook(kappa=3., window=2)
    hook._state = dict(base=base, recent=[loss])
    hook.after_train_iter(runner, 0, outputs=dict(loss_cls=torch.tensor(loss)))
    assert runner.train_loop.stop_training == stops


def _rank(rank, path):
    torch.set_num_threads(1)
    distributed.init_process_group(
        'gloo', init_method=f'file://{path}/store', rank=rank, world_size=2)
    runner = runner_of(2.)
    runner.iter = 0
    runner.model.head.expand.offset.parameters.return_value = []
    # Means over both are 0.2 and 0.5, 0.7: only the last is 3 times as much.
    base, *losses = [(.1, .1, 1.3), (.3, .9, .1)][rank]
    runner.train_dataloader.__iter__.return_value = [{}]
    runner.model.data_preprocessor.return_value = {}
    runner.model.return_value = dict(loss_cls=torch.tensor(base))
    hook = AscentGuardHook(kappa=3., window=1)
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    stops = []
    for loss in losses:
        hook.after_train_iter(
            runner, 0, outputs=dict(loss_cls=torch.tensor(loss)))
        stops.append(runner.train_loop.stop_training)
    torch.save((hook._state, stops), f'{path}/{rank}.pth')
    distributed.destroy_process_group()


def test_ranks_stop_together(tmp_path):
    start_processes(_rank, (str(tmp_path), ), 2, start_method='fork')
    for rank in range(2):
        state, stops = torch.load(tmp_path / f'{rank}.pth', weights_only=True)
        assert state == dict(
            base=pytest.approx(.2), recent=[pytest.approx(.7)])
        assert stops == [False, True]
