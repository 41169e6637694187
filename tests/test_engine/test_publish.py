# Copyright (c) mmktse authors. All rights reserved.
import hashlib

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmktse.engine.checkpoint import read_checkpoint
from mmktse.engine.hooks.fitting_checkpoint_hook import fitting_state
from mmktse.engine.publish import publish


@pytest.fixture
def net():
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 64, 3), torch.nn.BatchNorm2d(64))
    return net.to(memory_format=torch.channels_last).eval()


@pytest.fixture
def checkpoint(net):
    """What MMEngine writes: with momenta and logs."""
    optimizer = torch.optim.SGD(net.parameters(), .1, momentum=.9)
    net(torch.rand(2, 3, 9, 9)).sum().backward()
    optimizer.step()
    meta = dict(
        epoch=3,
        iter=300,
        cfg='model = dict()\n',
        experiment_name='here',
        dataset_meta=dict(
            classes=('cat', 'dog'),
            palette=[np.array([1, 2, 3]), (4, 5, 6)],
            label_map=None))
    return dict(
        meta=meta,
        state_dict=net.state_dict(),
        optimizer=optimizer.state_dict(),
        message_hub=dict(loss=HistoryBuffer([1., 2.], [1, 1])))


@pytest.fixture
def file(checkpoint, tmp_path):
    torch.save(checkpoint, tmp_path / 'epoch_3.pth')
    return tmp_path / 'epoch_3.pth'


def test_content(file, net, tmp_path):
    out = publish(read_checkpoint(file), tmp_path / 'new' / 'net.v1')
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    assert out == tmp_path / 'new' / f'net.v1-{digest[:8]}.pth'
    assert [x for x in out.parent.iterdir()] == [out]
    assert out.stat().st_size < .7 * file.stat().st_size
    content = torch.load(out, weights_only=True)
    assert set(content) == {'meta', 'state_dict'}
    assert set(content['meta']) == {
        'mmktse_version', 'epoch', 'iter', 'cfg', 'dataset_meta'
    }
    assert content['meta']['epoch'] == 3
    assert content['meta']['dataset_meta'] == dict(
        classes=['cat', 'dog'], palette=[[1, 2, 3], [4, 5, 6]])
    again = torch.nn.Sequential(
        torch.nn.Conv2d(3, 64, 3), torch.nn.BatchNorm2d(64)).eval()
    again.load_state_dict(fitting_state(again, content))
    images = torch.rand(2, 3, 9, 9)
    again.to(memory_format=torch.channels_last)
    assert torch.equal(again(images), net(images))


def test_same_name_for_the_same_weights(file, tmp_path):
    first = publish(read_checkpoint(file), tmp_path / 'net')
    content = first.read_bytes()
    assert publish(read_checkpoint(file), tmp_path / 'net') == first
    assert first.read_bytes() == content
    checkpoint = read_checkpoint(file)
    # A published file is one that can be published.
    assert publish(read_checkpoint(first), tmp_path / 'net') == first
    checkpoint['state_dict']['0.bias'][0] += 1
    assert publish(checkpoint, tmp_path / 'net') != first


def test_without_meta(net, tmp_path):
    torch.save(dict(state_dict=net.state_dict()), tmp_path / 'net.pth')
    out = publish(read_checkpoint(tmp_path / 'net.pth'), tmp_path / 'out')
    meta = torch.load(out, weights_only=True)['meta']
    assert set(meta) == {'mmktse_version'}
