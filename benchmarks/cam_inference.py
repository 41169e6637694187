# Copyright (c) mmktse authors. All rights reserved.
"""Times making seeds against the straightforward loop.

That loop runs one view at a time, brings all classes to full size, and stores
a float32 file per present class. The run fails if the maps differ, except
those of bfloat16, whose largest difference is printed. How far the network is
from what the cores can do is printed too: its arithmetic over their rate in a
product of matrices.
"""
import logging
import tempfile
from functools import partial
from pathlib import Path

import common
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import autocast
from mmpretrain.structures import DataSample
from torch.utils.flop_counter import FlopCounterMode

import mmktse  # noqa: F401
from mmktse.registry import MODELS, TRANSFORMS
from mmktse.seeds import load_seed, save_seed

TARGET = 3
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
    for _ in range(args.images):
        image = common.smooth_image(rng, args.size)
        yield image, common.draw_classes(rng, args.classes)


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


@torch.no_grad()
def work(model, scales, image):
    """Billions of operations in the network for an image and its mirror."""
    views = scales.transform(dict(img=image))['img']
    device = model.data_preprocessor.device
    with FlopCounterMode(display=False) as counter:
        for view in views:
            shape = (1, 3, *view.shape[:2])
            model.score_maps(torch.zeros(shape, device=device))
    return 2 * counter.get_total_flops() / 1e9


def peak_rate(device):
    """Billions of operations a second in a product of matrices, float32."""
    matrix = torch.rand(2048, 2048, device=device)
    # The item waits for the device.
    seconds = min(
        common.timed(lambda: (matrix @ matrix)[0, 0].item())[1]
        for _ in range(8))
    return 2 * len(matrix)**3 / seconds / 1e9


def measure(args):
    """Compares and times all variants; rows of the table."""
    model, scales = build(args)
    images = list(make_images(args))
    # Batch size, and whether in bfloat16.
    variants = {
        'one image a batch': (1, False),
        f'batches of {args.batch}': (args.batch, False)
    }
    if args.bf16:
        variants[f'batches of {args.batch}, bfloat16'] = args.batch, True
    with tempfile.TemporaryDirectory() as folder:
        paths = {
            name: Path(folder, name)
            for name in ('straightforward', *variants)
        }
        for path in paths.values():
            path.mkdir()
        plain = paths.pop('straightforward')

        def run(name):
            batch, half = variants[name]
            with autocast(
                    device_type=args.device, dtype=torch.bfloat16,
                    enabled=half):
                ours(model, scales, images, paths[name], batch)

        seconds = common.medians(
            dict(
                straightforward=partial(straightforward, model, scales, images,
                                        plain),
                **{name: partial(run, name)
                   for name in variants}), args.repeats)
        for name, (_, half) in variants.items():
            error = largest_difference(images, plain, paths[name])
            print(f'{name}: largest difference {error:.1e}')
            if error > TOLERANCE and not half:
                raise SystemExit(f'{name}: the maps differ by {error:.1e}')
        sizes = [
            sum(f.stat().st_size for f in path.iterdir()) / 2**20
            for path in (paths['one image a batch'], plain)
        ]
    per_image, peak = work(model, scales, images[0][0]), peak_rate(args.device)
    rates = {name: len(images) / value for name, value in seconds.items()}
    for name, rate in rates.items():
        print(f'{name}: {rate * per_image:.1f} of {peak:.1f} GFLOP/s')
    print(f'{per_image:.1f} GFLOP an image: at the peak rate, with nothing '
          'else to do, the ratio would be '
          f'{peak / per_image / rates["straightforward"]:.2f}')
    height, width = args.size
    what = f'CAM inference, {height}x{width}, {args.classes} classes'
    return [
        *(common.Row(
            f'{what}, {name}', 'one view at a time, maps of all classes',
            rates[name], rates['straightforward'], 'images/s',
            None if half else TARGET) for name, (_, half) in variants.items()),
        common.Row(f'stored seeds of {len(images)} images',
                   'a float32 file for each class', *sizes, 'MiB')
    ]


def parse_args(argv=None):
    parser = common.make_parser(__doc__)
    parser.add_argument('--config', default=common.SMALL_CONFIG)
    parser.add_argument('--images', type=int, default=8)
    parser.add_argument(
        '--size', type=common.image_size, default=(375, 500), metavar='HxW')
    parser.add_argument('--classes', type=int, default=20)
    parser.add_argument('--batch', type=int, default=4)
    parser.add_argument('--device', choices=['cpu', 'cuda'], default='cpu')
    parser.add_argument(
        '--bf16', action='store_true', help='a row under autocast, too')
    return parser.parse_args(argv)


def main(argv=None):
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
