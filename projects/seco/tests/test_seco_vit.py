# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.models import VisionTransformer

from mmktse.models.converters import convert_timm_vit
from projects.seco.seco import GMPHead, SeCoViT

ARCH = dict(
    embed_dims=48, num_layers=12, num_heads=3, feedforward_channels=192)
SIZES = ['64x64', '224x224', '256x416', '53x70']


@pytest.fixture(scope='module')
def weights(seco_weights):
    """Of the student's encoder, under mmpretrain's names."""
    return convert_timm_vit({
        name.removeprefix('encoder.'): value
        for name, value in seco_weights.items() if name.startswith('encoder.')
    })


@pytest.fixture(scope='module')
def network(weights):
    vit = SeCoViT(arch=ARCH)
    vit.load_state_dict(weights)
    vit.eval()  # gives nothing back
    return vit


def check(feats, data, stride=1, tol=5e-5):
    aux, last, token = feats
    tokens = [x.flatten(2).transpose(1, 2)[:, ::stride] for x in (aux, last)]
    for got, name, factor in ((token, 'cls_token', 1), (tokens[1],
                                                        'patch_tokens', 1),
                              (tokens[0], 'aux_tokens', 2)):
        torch.testing.assert_close(got, data[name], rtol=0, atol=factor * tol)


def decode_head(weights):
    head = MODELS.build(
        dict(
            type='mmktse.DeepLabV2Head',
            in_channels=48,
            in_index=1,
            num_classes=21)).eval()
    for index, conv in enumerate(head.conv_seg):
        for kind in ('weight', 'bias'):
            getattr(conv, kind).copy_(weights[f'decoder.c{index}.{kind}'])
    return head


@pytest.mark.parity
@pytest.mark.parametrize('size', SIZES)
@torch.no_grad()
def test_golden_features_and_heads(seco_parity, seco_fill, seco_weights,
                                   network, size):
    data = seco_parity(f'c09_vit_{size}')
    feats = network(seco_fill(f'input.{size}', data['shape'].tolist()))
    check(feats, data, int(data['token_stride']))
    for index, theirs, names in ((1, 'classifier', ('cam', 'cls')),
                                 (0, 'aux_classifier', ('cam_aux',
                                                        'cls_aux'))):
        head = GMPHead(20, 48, index)
        head.classifier.weight.copy_(seco_weights[f'{theirs}.weight'])
        for got, name in zip((head(feats), head.logits(feats)), names):
            torch.testing.assert_close(
                got, data[name], rtol=0, atol=1e-4 if index == 0 else 5e-5)
    head = decode_head(seco_weights)
    torch.testing.assert_close(head(feats), data['seg'], rtol=0, atol=5e-5)


@pytest.mark.parity
@torch.no_grad()
def test_golden_decode_head(seco_parity, seco_weights):
    """On a map so wide that all dilations reach into it."""
    data = seco_parity('c09_heads')
    out = decode_head(seco_weights)([None, data['aspp_in']])
    torch.testing.assert_close(out, data['aspp_out'], rtol=0, atol=5e-5)


@pytest.mark.parity
@torch.no_grad()
def test_golden_small_values(seco_parity, seco_fill, weights):
    """Where the epsilon of the normalisation shows."""
    data = seco_parity('c09_vit_small_scale')
    vit = SeCoViT(arch=ARCH)
    vit.load_state_dict({
        name:
        value * data['factor'] if name.startswith(
            ('patch_embed', 'cls_token', 'pos_embed')) else value
        for name, value in weights.items()
    })
    check(vit(seco_fill('input.64x64', (2, 3, 64, 64))), data, tol=1e-4)


@pytest.mark.parity
@torch.no_grad()
def test_golden_position_table(seco_parity, network):
    """What is added to the tokens of images of several sizes."""
    data = seco_parity('c09_pos_embed')
    seen = []
    hook = network.layers[0].register_forward_pre_hook(
        lambda layer, args: seen.append(args[0]))
    try:
        for size in (*SIZES, '672x672'):
            image = torch.zeros(1, 3, *map(int, size.split('x')))
            tokens = network.patch_embed(image)[0]
            tokens = torch.cat((network.cls_token, tokens), 1)
            layers, network.layers = network.layers, network.layers[:1]
            try:
                VisionTransformer.forward(network, image)
            finally:
                network.layers = layers
            torch.testing.assert_close(
                (seen[-1] - tokens)[0, :, :4],
                data[f'pos_{size}'],
                rtol=0,
                atol=1e-5)
    finally:
        hook.remove()


def test_position_table_is_not_trained():
    vit = SeCoViT(arch=dict(ARCH, num_layers=3), img_size=32)
    fixed = [n for n, p in vit.named_parameters() if not p.requires_grad]
    assert fixed == ['pos_embed']
    assert SeCoViT(
        arch=dict(ARCH, num_layers=3),
        freeze_pos_embed=False).pos_embed.requires_grad
    aux, last, token = vit(torch.rand(2, 3, 40, 52))
    assert aux.shape == last.shape == (2, 48, 2, 3) and token.shape == (2, 48)


def test_shipped_size():
    """12 blocks of 768, the tenth of which gives the auxiliary map."""
    with torch.device('meta'):
        vit = SeCoViT(arch='base')
    assert vit.out_indices == [9, 11]
    # The published encoder without its head.
    count = sum(p.numel() for p in vit.parameters())
    assert count == 86_567_656 - 769_000
