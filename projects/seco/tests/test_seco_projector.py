# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch

from projects.seco.seco import SeCoProjector


@pytest.mark.parity
def test_golden(seco_parity, seco_fill, assert_near):
    data = seco_parity('c09_heads')
    projector = SeCoProjector(48, 128, 48)
    with torch.no_grad():
        for name, value in projector.named_parameters():
            value.copy_(seco_fill(f'proj_head.{name}', value.shape))
    tokens = data['proj_in'].requires_grad_()
    out = projector(tokens)
    torch.testing.assert_close(out, data['proj_out'], rtol=0, atol=2e-6)
    out.backward(data['proj_cotangent'])
    assert_near(tokens.grad, data['proj_grad_in'], 1e-5)


def test_starts_small():
    projector = SeCoProjector(64, 256, 32)
    projector.init_weights()
    for layer in projector.mlp[::2]:
        assert layer.weight.std().item() == pytest.approx(.02, rel=.1)
        assert not layer.bias.any()
    assert projector(torch.randn(2, 3, 64)).shape == (2, 3, 32)
