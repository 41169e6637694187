# Copyright (c) mmktse authors. All rights reserved.
import pytest
import torch
import torch.nn.functional as F

from projects.seco.seco import multi_scale_cam


@pytest.mark.parity
@pytest.mark.parametrize('scales', ['voc', 'coco', 'half_only'])
def test_golden(seco_parity, scales):
    data = seco_parity('c01_multi_scale_cam')
    heights = []

    def network(images):
        heights.append(images.shape[2])
        maps = [
            F.conv2d(images, data[f'w_{head}'], data[f'b_{head}'], stride=4)
            for head in ('main', 'aux')
        ]
        for head, got in zip(('main', 'aux'), maps):
            torch.testing.assert_close(
                got, data[f'raw_{head}_h{heights[-1]}'], rtol=1e-6, atol=5e-5)
        return maps

    cams = multi_scale_cam(network, data['x'],
                           data[f'scales_{scales}'].tolist())
    for head, cam in zip(('main', 'aux'), cams):
        torch.testing.assert_close(
            cam, data[f'{head}_{scales}'], rtol=0, atol=1e-5)
        dead = data[f'b_{head}'].argmin()
        assert not cam[:, dead].any()
    assert heights[0] == 24 and heights.count(24) == 1
    assert not cams[0].requires_grad
