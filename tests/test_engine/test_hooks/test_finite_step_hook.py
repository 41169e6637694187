# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch import nn

from mmktse.engine.checkpoint import read_checkpoint


class Toy(BaseModel):
    """Of image 'bad' one of the terms, or its gradient alone, is not finite"""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.fc = nn.Linear(1, 1)

    def forward(self, inputs, data_samples, mode):
        good = self.fc(torch.stack(inputs)).square().mean()
        bad = self.fc.weight.abs().sum() * 0
        if data_samples[0].img_id == 'bad':
            if self.kind == 'loss':
                bad = bad * float('inf')
            elif self.kind == 'constant':
                bad = torch.tensor(float('nan'))
            else:  # the root of 0 has an infinite gradient
                bad = bad.sqrt() if self.kind == 'gradient' else bad
        return dict(loss_good=good, loss_bad=[bad, bad], acc=good * 0)


class Images(torch.utils.data.Dataset):

    def __init__(self, names):
        self.names = names

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        sample = BaseDataElement(metainfo=dict(img_id=self.names[i]))
        return dict(inputs=torch.ones(1), data_samples=sample)


@pytest.fixture
def train(tmp_path):

    def run(kind, names, wrapper=dict(), **settings):
        model = Toy(kind)
        runner = Runner(
            model,
            str(tmp_path),
            train_dataloader=dict(
                batch_size=1,
                dataset=Images(names),
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=dict(type='pseudo_collate')),
            train_cfg=dict(by_epoch=True, max_epochs=1),
            optim_wrapper=dict(
                dict(optimizer=dict(type='SGD', lr=.1)), **wrapper),
            default_hooks=dict(
                checkpoint=dict(
                    type='CheckpointHook', interval=1, by_epoch=False),
                finite=dict(type='mmktse.FiniteStepHook', **settings)),
            experiment_name=f'{tmp_path.name}_{kind}_{len(names)}')
        error = None
        try:
            runner.train()
        except RuntimeError as e:
            error = str(e)
        return model, error

    return run


@pytest.mark.parametrize('kind, what', [
    ('loss', 'loss_bad is nan'),
    ('constant', 'loss_bad is nan'),
    ('gradient', 'not the gradient of fc.weight'),
])
def test_stops_before_the_weights_are_touched(train, tmp_path, kind, what):
    model, error = train(kind, ['a', 'b', 'bad', 'c'])
    assert 'Step 3 is not finite: ' in error and what in error
    assert 'Images: bad.' in error and 'loss_good' not in error
    assert model.fc.weight.isfinite().all()
    state = read_checkpoint(tmp_path / 'iter_2.pth')
    torch.testing.assert_close(state['state_dict']['fc.weight'],
                               model.fc.weight.data)
    assert not (tmp_path / 'iter_3.pth').exists()


def test_sound_training_is_not_disturbed(train):
    model, error = train('none', ['a', 'bad', 'c'])
    assert error is None


def test_steps_are_left_out(train):
    torch.manual_seed(3)
    want, _ = train('none', ['a', 'b'])
    torch.manual_seed(3)
    model, error = train('gradient', ['a', 'bad', 'b'], skip=1)
    assert error is None
    torch.testing.assert_close(model.fc.weight, want.fc.weight)
    # Two in a row are too many, one good step between them is not.
    assert train('gradient', ['bad', 'a', 'bad'], skip=1)[1] is None
    assert 'Step 3' in train('gradient', ['a', 'bad', 'bad'], skip=1)[1]
    # Processes could not agree about this one.
    assert 'Step 2' in train('constant', ['a', 'bad'], skip=1)[1]


def test_accumulated_steps(train):
    wrapper = dict(accumulative_counts=2)
    _, error = train('loss', ['bad', 'a'], wrapper)
    assert 'Step 1' in error and 'Images: bad.' in error
