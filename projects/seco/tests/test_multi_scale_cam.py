# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F

from projects.seco.seco import multi_scale_cam


@pytest.mark.parity
@pytest.mark.parametrize('known', [False, True])
@pytest.mark.parametrize('scales', ['voc', 'coco', 'half_only'])
def test_golden(seco_parity, scales, known):
    data = seco_parity('c01_multi_scale_cam')
    shapes = []

    def network(images):
        shapes.append(images.shape)
        maps = [
            F.conv2d(images, data[f'w_{head}'], data[f'b_{head}'], stride=4)
            for head in ('main', 'aux')
        ]
        for head, got in zip(('main', 'aux'), maps):
            want = data[f'raw_{head}_h{images.shape[2]}'][-len(images):]
            torch.testing.assert_close(got, want, rtol=1e-6, atol=5e-5)
        return maps

    cams = multi_scale_cam(
        network, data['x'], data[f'scales_{scales}'].tolist(),
        [data[f'raw_{head}_h24'][:2]
         for head in ('main', 'aux')] if known else None)
    for head, cam in zip(('main', 'aux'), cams):
        torch.testing.assert_close(
            cam, data[f'{head}_{scales}'], rtol=0, atol=1e-5)
        dead = data[f'b_{head}'].argmin()
        assert not cam[:, dead].any()
    # Scale 1 comes first, once, and what is known is not computed again.
    heights = [shape[2] for shape in shapes]
    assert heights[0] == 24 and heights.count(24) == 1
    assert [shape[0] for shape in shapes
            ] == [2 if known and height == 24 else 4 for height in heights]
    assert not cams[0].requires_grad
