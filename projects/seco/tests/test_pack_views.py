# Copyright (c) mmktse authors. All rights reserved.
import numpy as np
import torch

from projects.seco.seco import PackViews, ViewsDataPreprocessor


def test_views_and_label_reach_the_network():
    rng = np.random.default_rng(0)
    keys = ('img', 'strong_img', 'second_img')
    images = {key: rng.integers(0, 256, (4, 6, 3), np.uint8) for key in keys}
    results = dict(
        images, gt_label=[1, 4], img_box=(0, 4, 2, 6), img_path='a.jpg')
    packed = PackViews()(results)
    assert packed['data_samples'].gt_label.tolist() == [1, 4]
    assert packed['data_samples'].img_box.tolist() == [0, 4, 2, 6]
    assert packed['data_samples'].img_path == 'a.jpg'

    mean, std = torch.tensor([1., 2., 3.]), torch.tensor([4., 5., 6.])
    preprocess = ViewsDataPreprocessor(
        mean=mean.tolist(), std=std.tolist(), bgr_to_rgb=True)
    batch = preprocess(
        dict(
            inputs={
                name: [view] * 2
                for name, view in packed['inputs'].items()
            },
            data_samples=[packed['data_samples']] * 2), True)
    assert len(batch['data_samples']) == 2
    for name, key in zip(('base', 'strong', 'second'), keys):
        rgb = torch.from_numpy(images[key][..., ::-1].copy())
        want = ((rgb - mean) / std).permute(2, 0, 1)
        torch.testing.assert_close(batch['inputs'][name],
                                   torch.stack([want, want]))


def test_at_test_time_it_is_the_stock_one():
    images = [torch.full((3, 2, 2), 7.)]
    batch = ViewsDataPreprocessor()(dict(inputs=images, data_samples=None))
    assert torch.equal(batch['inputs'], torch.stack(images))
