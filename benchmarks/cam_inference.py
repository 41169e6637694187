# Copyright (c) mmktse authors. All rights reserved.
"""Times making seeds against the straightforward loop.

That loop runs one view at a time, brings all classes to full size, and stores
a float32 file per present class. The run fails if the maps differ, except
those of bfloat16, whose largest difference is printed.
"""
import argparse
import json
import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import autocast
from mmpretrain.structures import DataSample

import mmktse  # noqa: F401
from mmktse.registry import MODELS, TRANSFORMS
from mmktse.seeds import load_seed, save_seed

# Of float16 and of sums in another order, for CAMs in [0, 1].
TOLERANCE = 2e-3


def build(args):
    """The model with random weights, and the scales of its config."""
    logging.disable(logging.INFO)  # Every initialised parameter.
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.get('default_scope', 'mmktse'))
    cfg.model.backbone.init_cfg = None
    cfg.model.head.num_classes = args.classes
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    scales = next(transform
                  for transform in cfg.test_dataloader.dataset.pipeline
                  if transform.type == 'MultiScaleViews')
    return model.to(args.device).eval(), TRANSFORMS.build(scales)


def make_images(args):
    """Smooth BGR images and one to three classes for each."""
    rng = np.random.default_rng(0)
    height, width = args.size
    for _ in range(args.images):
        coarse = torch.from_numpy(rng.random((1, 3, 12, 16), np.float32))
        image = F.interpolate(coarse, (height, width), mode='bicubic')[0]
        image = (image * 255).clamp(0, 255).byte().permute(1, 2, 0).numpy()
        count = rng.choice([1, 2, 3], p=[.59, .29, .12])
        yield image, sorted(rng.choice(args.classes, count, replace=False))


@torch.no_grad()
def straightforward(model, scales, images, folder):
    """One view at a time, all classes, a float32 file per class."""
    for number, (image, classes) in enumerate(images):
        total = 0
        for view in scales.transform(dict(img=image))['img']:
            tensor = torch.from_numpy(view).permute(2, 0, 1)
            tensor = model.data_preprocessor.normalize(tensor)[None]
            for flip in (False, True):
                scores = model(tensor.flip(-1) if flip else tensor)
                cam = F.interpolate(
                    scores, image.shape[:2], mode='bilinear').relu()
                total = total + (cam.flip(-1) if flip else cam)
        cam = total[0] / (total[0].amax((1, 2), keepdim=True) + 1e-5)
        for index in classes:
            np.save(folder / f'{number}_{index}.npy', cam[index].cpu().numpy())


@torch.no_grad()
def ours(model, scales, images, folder, batch_size):
    """As the test loop does it with this batch size."""
    for start in range(0, len(images), batch_size):
        chunk = images[start:start + batch_size]
        views = [
            scales.transform(dict(img=image))['img'] for image, _ in chunk
        ]
        samples = [
            DataSample(metainfo=dict(
                ori_shape=image.shape[:2])).set_gt_label(classes)
            for image, classes in chunk
        ]
        result = model.test_step(
            dict(
                inputs=[[
                    torch.from_numpy(view).permute(2, 0, 1) for view in scale
                ] for scale in zip(*views)],
                data_samples=samples))
        for number, sample in enumerate(result, start):
            save_seed(folder / f'{number}.npz', sample.cam, sample.cam_classes)


def largest_difference(images, one, other):
    """Largest difference of any CAM value between both folders."""
    error = 0.
    for number, (_, classes) in enumerate(images):
        cam, stored = load_seed(other / f'{number}.npz')
        assert stored.tolist() == list(classes)
        for index, value in zip(classes, cam):
            want = np.load(one / f'{number}_{index}.npy')
            error = max(error, float(np.abs(want - value).max()))
    return error


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--config', default='configs/ktse/ktse_efficientnet-lite0_custom.py')
    parser.add_argument('--images', type=int, default=8)
    parser.add_argument(
        '--size', type=int, nargs=2, default=(375, 500), metavar=('H', 'W'))
    parser.add_argument('--classes', type=int, default=20)
    parser.add_argument('--batch', type=int, default=4)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--json', help='file to write the figures to')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, scales = build(args)
    images = list(make_images(args))
    names = ('straightforward', 'ours', 'ours, batch', 'ours, batch, bfloat16')
    seconds = {name: [] for name in names}
    size, error = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        folders = {name: Path(folder) / name for name in names}
        for path in folders.values():
            path.mkdir()
        for _ in range(1 + args.repeats):
            for name, path in folders.items():
                batch = args.batch if 'batch' in name else 1
                start = time.perf_counter()
                with autocast(
                        device_type=args.device,
                        dtype=torch.bfloat16,
                        enabled='bfloat16' in name):
                    if name == names[0]:
                        straightforward(model, scales, images, path)
                    else:
                        ours(model, scales, images, path, batch)
                seconds[name].append(time.perf_counter() - start)
        for name, path in folders.items():
            size[name] = sum(f.stat().st_size for f in path.iterdir())
            if name != names[0]:
                error[name] = largest_difference(images, folders[names[0]],
                                                 path)
    # The first round warms up.
    best = {name: min(values[1:]) for name, values in seconds.items()}
    rows = [
        dict(
            name=name,
            images_per_second=len(images) / best[name],
            ratio=best[names[0]] / best[name],
            mebibytes=size[name] / 2**20,
            largest_difference=error.get(name, 0.)) for name in names
    ]
    for row in rows:
        print('{name:24} {images_per_second:7.2f} images/s  ratio {ratio:5.2f}'
              '  {mebibytes:7.2f} MiB  largest difference '
              '{largest_difference:.1e}'.format(**row))
    if args.json:
        with open(args.json, 'w') as file:
            json.dump(
                dict(vars(args), torch=torch.__version__, rows=rows), file)
    for name in names[1:3]:
        if error[name] > TOLERANCE:
            raise SystemExit(f'{name}: the maps differ by {error[name]:.1e}')


if __name__ == '__main__':
    main()
