# Copyright (c) mmktse authors. All rights reserved.
import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from mmengine.model import ExponentialMovingAverage

from mmktse.models.converters import convert_timm_vit
from projects.seco.seco import KeyQueue, Prototypes, SeCoProjector, SeCoViT


@pytest.mark.parity
def test_golden_queue(seco_parity):
    data = seco_parity('c05_memory')
    queue = KeyQueue(24, 8)
    queue.keys.copy_(data['queue_before'])
    queue.tags.copy_(data['queue_tags_before'])
    for step in range(3):
        keys = data[f'queue_keys_{step}']
        tags = data[f'queue_in_tags_{step}'].long()
        bank, bank_tags = queue(keys, tags)
        after = data[f'queue_after_{step}']
        tags_after = data[f'queue_tags_after_{step}'].long()
        assert torch.equal(queue.keys, after)
        assert torch.equal(queue.tags, tags_after)
        assert queue.pointer == data[f'queue_ptr_after_{step}']
        assert torch.equal(bank, torch.cat((keys, after)))
        assert torch.equal(bank_tags, torch.cat((tags, tags_after)))


@pytest.mark.parity
@pytest.mark.parametrize('dataset', ['voc', 'coco'])
def test_golden_prototypes(seco_parity, dataset):
    data = seco_parity('c05_memory')
    prototypes = Prototypes(6, 8, float(data[f'proto_m_{dataset}']))
    prototypes.vectors.copy_(data[f'proto_before_{dataset}'])
    for step in range(3):
        prototypes.update(data[f'proto_embeds_{dataset}_{step}'],
                          data[f'proto_label_{dataset}_{step}'])
        torch.testing.assert_close(
            prototypes.vectors,
            data[f'proto_after_{dataset}_{step}'],
            rtol=0,
            atol=1e-6)


@pytest.fixture
def networks(seco_parity, seco_fill):
    """Student and teacher, each a backbone and a projector, as filled."""
    params = seco_parity('c09_params')
    values = {
        str(name): seco_fill(str(name), [size for size in shape if size])
        for name, shape in zip(params['names'], params['shapes'].tolist())
    }

    def part(prefix):
        return {
            name.removeprefix(prefix): value
            for name, value in values.items() if name.startswith(prefix)
        }

    loaded = []
    for encoder, head in (('encoder.', 'proj_head.'), ('encoder_k.',
                                                       'proj_head_t.')):
        vit = SeCoViT(
            arch=dict(
                embed_dims=48,
                num_layers=12,
                num_heads=3,
                feedforward_channels=192))
        vit.load_state_dict(convert_timm_vit(part(encoder)))
        projector = SeCoProjector(48, 128, 48)
        projector.load_state_dict({
            name: value
            for name, value in part(head).items() if name.startswith('mlp')
        })
        loaded += [vit, projector]
    return loaded


@pytest.mark.parity
@torch.no_grad()
def test_golden_steps(seco_parity, seco_fill, networks):
    """Queries, keys, queue and prototypes of two steps."""
    data = seco_parity('c09_reservoir')
    student, projector, *copies = networks
    rate = 1 - float(data['momentum'])
    teacher, teacher_projector = (
        ExponentialMovingAverage(copy, rate) for copy in copies)
    # Teachers that have begun.
    teacher.steps += 1
    teacher_projector.steps += 1
    names = {
        'encoder_k.blocks.0.norm1.weight': teacher.module.layers[0].ln1.weight,
        'encoder_k.blocks.11.attn.proj.bias':
        teacher.module.layers[11].attn.proj.bias,
        'proj_head_t.mlp.4.bias': teacher_projector.module.mlp[4].bias,
        'encoder_k.norm.weight': teacher.module.ln1.weight,
    }
    views = {
        name: seco_fill(f'input.res_{name}', (2, 3, size, size))
        for name, size in dict(x=64, w=64, q0=32, q1=32, k0=32, k1=32).items()
    }
    queue = KeyQueue(16, 48)
    queue.keys.copy_(F.normalize(seco_fill('input.queue', (16, 48)), dim=0))
    prototypes = Prototypes(5, 48)
    prototypes.vectors.copy_(seco_fill('input.prototypes', (5, 48)))
    tags = data['tags'].long().flatten()

    def token(network, name):
        return network(views[name])[2]

    for step in range(2):
        # Rows of an image follow each other.
        globals_ = [token(student, 'x'), token(student, 'w')]
        queries = torch.stack(
            globals_ + [token(student, name) for name in ('q0', 'q1')], 1)
        queries = projector(queries.flatten(0, 1))
        teacher.update_parameters(student)
        teacher_projector.update_parameters(projector)
        keys = torch.stack(
            globals_ + [token(teacher, name) for name in ('k0', 'k1')], 1)
        keys = teacher_projector(keys.flatten(0, 1))
        bank, bank_tags = queue(keys, tags)
        if step == 1:
            prototypes.update(globals_[0], data['label_idx'])
        for got, name in ((queries, 'q'), (keys, 'keys'), (bank[:8], 'keys'),
                          (prototypes.vectors, 'prototypes')):
            torch.testing.assert_close(
                got, data[f'{name}_{step}'], rtol=0, atol=2e-5)
        # The published bank begins with the queries, which its loss drops.
        assert torch.equal(
            torch.cat((tags, bank_tags)), data[f'bank_tags_{step}'].long())
        assert queue.pointer == data[f'queue_ptr_{step}']
        for name, value in names.items():
            torch.testing.assert_close(
                value, data[f'ema_{step}_{name}'], rtol=0, atol=1e-6)
    torch.testing.assert_close(
        queue.keys, data['queue_after'], rtol=0, atol=2e-5)
    assert torch.equal(queue.tags, data['queue_tags_after'].long())


def test_start_and_bank_of_the_queue():
    published, fixed = KeyQueue(400, 16), KeyQueue(400, 16, faithful=False)
    assert published.keys.norm(dim=1).mean() < .3 and not published.tags.any()
    torch.testing.assert_close(fixed.keys.norm(dim=1), torch.ones(400))
    assert (fixed.tags == -1).all()
    keys, tags = F.normalize(torch.randn(3, 16)), torch.tensor([2, 0, -1])
    bank, bank_tags = fixed(keys, tags)
    assert len(bank) == 400 and torch.equal(bank[:3], keys)
    assert torch.equal(bank_tags[:3], tags)
    # The bank of a step stays as it is.
    fixed(*(value.repeat(*(133, 1)[:value.ndim]) for value in (keys, tags)))
    assert torch.equal(bank[:3], keys)


def test_queue_wraps_around():
    queue = KeyQueue(7, 4)
    for _ in range(3):
        keys = torch.randn(5, 4)
        queue(keys, torch.arange(5))
    assert queue.pointer == 1
    assert torch.equal(queue.keys[[3, 4, 5, 6, 0]], keys)
    assert queue.tags[[3, 4, 5, 6, 0]].tolist() == list(range(5))


def test_a_queue_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match='8 keys, more than the queue of 7'):
        KeyQueue(7, 4)(torch.randn(8, 4), torch.zeros(8, dtype=torch.long))


def test_prototypes_of_unit_length():
    tokens = torch.tensor([[0., 30.], [50., 0.]])
    labels = torch.tensor([1, 1])
    fixed = Prototypes(2, 2, momentum=.9, faithful=False)
    torch.testing.assert_close(fixed.vectors.norm(dim=1), torch.ones(2))
    fixed.vectors.copy_(torch.tensor([[0., 1.], [1., 0.]]))
    fixed.update(tokens, labels)
    want = F.normalize(torch.tensor([[.1, .9 * .9 + .9 * .1], [1., 0.]]))
    torch.testing.assert_close(fixed.vectors, want)
    # As published, the last image is all that is left.
    published = Prototypes(2, 2, momentum=.9)
    published.vectors.copy_(torch.tensor([[0., 1.], [1., 0.]]))
    published.update(tokens, labels)
    assert published.vectors[0, 0] > .8


STEPS = 3


def remember(rows=slice(None)):
    """A queue and prototypes after steps on some rows of a joint batch."""
    torch.manual_seed(0)
    queue, prototypes = KeyQueue(16, 4), Prototypes(3, 4)
    for _ in range(STEPS):
        keys, tags = torch.randn(6, 4), torch.randint(-1, 4, (6, ))
        tokens, labels = torch.randn(6, 4), torch.randint(1, 4, (6, ))
        labels[::4] = -1
        bank, _ = queue(keys[rows], tags[rows])
        prototypes.update(tokens[rows], labels[rows])
        assert torch.equal(bank, torch.cat((keys[rows], queue.keys)))
    return {**queue.state_dict(), **prototypes.state_dict()}


def _rank(rank, port, path, ranks):
    torch.set_num_threads(1)
    os.environ.update(
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
        RANK=str(rank),
        WORLD_SIZE=str(ranks))
    dist.init_process_group('gloo')
    share = 6 // ranks
    state = remember(slice(rank * share, (rank + 1) * share))
    torch.save(state, f'{path}/{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


def test_ranks_remember_the_same(tmp_path):
    port = 20000 + os.getpid() % 20000
    mp.spawn(_rank, args=(port, str(tmp_path), 2), nprocs=2)
    want = remember()
    for rank in range(2):
        got = torch.load(tmp_path / f'{rank}.pth', weights_only=True)
        assert got.keys() == want.keys()
        for name, value in want.items():
            assert torch.equal(got[name], value), name
