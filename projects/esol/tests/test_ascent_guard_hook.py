# Copyright (c) mmktse authors. All rights reserved.
import json
from unittest.mock import MagicMock

import pytest
import torch
from mmengine.runner import CheckpointLoader, Runner
from mmpretrain.structures import DataSample
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
            prepare=lambda head: None):
        torch.manual_seed(0)
        runner = Runner(
            model=model_cfg('expand', lambda_e=10., clip=dict(beta=.5)),
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
                dict(type='AscentGuardHook', kappa=kappa, window=6),
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
        prepare(model.head)
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


def test_running_loss_stops_the_ascent(run, tmp_path):
    runner, whole = run('free', kappa=1e9)
    assert len(whole) == 24
    assert all('ascent_ratio' not in line for line in whole[:6])
    ratios = [line['ascent_ratio'] for line in whole[6:]]
    # The base by its definition: all images, with the weights after epoch 1.
    path = str(tmp_path / 'free' / 'epoch_1.pth')
    runner.load_checkpoint(path)
    model = runner.model.eval()
    assert not model.head.expand.offset.weight.any()
    images = TinyImages()
    data = model.data_preprocessor(
        dict(
            inputs=[images[i]['inputs'] for i in range(12)],
            data_samples=[images[i]['data_samples'] for i in range(12)]))
    base = model(**data, mode='loss')['loss_cls'].item()
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


def test_base_without_an_epoch_at_zero(run, tmp_path):
    run('direct', kappa=1e9, max_epochs=1, held_epochs=0)
    path = str(tmp_path / 'direct' / 'epoch_1.pth')
    hub = CheckpointLoader.load_checkpoint(path)['message_hub']
    state = hub['runtime_info']['ascent_guard']
    assert state['base'] > 0 and len(state['recent']) == 6


def test_offsets_that_were_trained_are_refused(run):

    def prepare(head):
        head.expand.offset.bias.data += .1

    with pytest.raises(ValueError, match='must be the checkpoint of'):
        run('moved', kappa=3., prepare=prepare)


@pytest.mark.parametrize('base, loss, stops', [
    (.4, .6, False),
    (.4, .64, True),
    (.65, .68, False),
])
def test_points_that_leave_the_map_stop_it(base, loss, stops):
    """Zeros have the loss ln 2, which may be less than kappa times base."""
    runner = MagicMock()
    runner.train_loop.stop_training = False
    runner.model.head.configure_mock(held=False, loss_weight=1.)
    hook = AscentGuardHook(kappa=3., window=2)
    hook._state = dict(base=base, recent=[loss])
    hook.after_train_iter(runner, 0, outputs=dict(loss_cls=torch.tensor(loss)))
    assert runner.train_loop.stop_training == stops
