# Copyright (c) mmktse authors. All rights reserved.
"""Times a training step of KTSE against the straightforward schedule.

Both steps start from the same weights and the same batch. The run fails if
their losses, labels or gradients differ, or if the batch tests nothing.
"""
import logging
import statistics
import sys
import time
from pathlib import Path
from unittest.mock import patch

import common
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from torch.nn.modules.dropout import _DropoutNd

import mmktse  # noqa: F401
from mmktse.models.classifiers import KTSE
from mmktse.models.utils import OnlineLabeler, foreground_cam
from mmktse.models.utils.cam import label_norm, resize
from mmktse.registry import MODELS

TARGET = 1.5
# Of pixels at a threshold or an argmax that rounding decides.
TIE_SHARE = 1e-4


class StraightforwardLabeler(OnlineLabeler):
    """Labels image by image, both thresholds apart, with a graph."""

    def forward(self, images, scores, targets, num_present):
        if self.truncate_image:
            images = self.truncate(images)
        labels = []
        for item in zip(images.split(1), scores.split(1), targets):
            high, low = (self.hard(*item, t) for t in self.thresholds)
            labels.append(
                torch.where((high == 0) & (low > 0), high.new_tensor(255),
                            high))
        return torch.cat(labels)

    def hard(self, image, score, target, threshold):
        """Classes (1, H, W) of one image at one threshold."""
        size = image.shape[2:]
        low_size = tuple(int(s * self.scale) for s in size)
        maps = resize(label_norm(score.float()), size)
        background = torch.full_like(maps[:, :1], threshold)
        stack = resize(torch.cat((background, maps), 1), low_size)
        present = target.nonzero()[:, 0]
        if not self.keep_empty:
            dead = torch.zeros_like(stack[:, :, :1, :1], dtype=torch.bool)
            dead[:, 1:, 0, 0] = score.amax((2, 3)) <= 0
            stack = stack.masked_fill(dead, -float('inf'))
        ids = torch.cat((torch.zeros_like(present[:1]), present + 1))
        refined = self.refine(
            resize(image, low_size), stack[:, ids].softmax(1))
        return ids[resize(refined, size).argmax(1)]

    def refine(self, image, masks):
        """PAR with its neighbours (1, C, 48, H, W) in one tensor."""
        image = image.float()
        near = self.neighbours(image)
        std = near.std(2, keepdim=True) + 1e-8
        weight = -((near - image[:, :, None]).abs() / std / self.par.w1)**2
        weight = weight.mean(1, keepdim=True).softmax(2)
        weight = weight + self.par.position[:, None, None]
        for _ in range(self.par.num_iters):
            masks = (self.neighbours(masks) * weight).sum(2)
        return masks

    def neighbours(self, maps):
        p, (height, width) = self.par.pad, maps.shape[2:]
        padded = F.pad(maps, (p, p, p, p), mode='replicate')
        return torch.stack([
            padded[..., p + dy:p + dy + height, p + dx:p + dx + width]
            for dy, dx in self.par.offsets
        ], 2)


class StraightforwardKTSE(KTSE):
    """The published order: four forwards, with and for all partners."""
    cam = staticmethod(foreground_cam)

    def __init__(self, *args, labeler=dict(), **kwargs):
        super().__init__(*args, **kwargs)
        self.labeler = StraightforwardLabeler(**labeler)
        self.backbone.to(memory_format=torch.contiguous_format)
        if hasattr(self.backbone, 'memory_format'):
            self.backbone.memory_format = torch.contiguous_format

    def loss(self, inputs, data_samples, partner_inputs, partner_data_samples):
        images = (inputs, partner_inputs)
        maps = [self.score_maps(x) for x in images]
        scores = [self.head.scores(m) for m in maps]
        targets = [
            self.targets(data_samples, scores[0]),
            self.targets(partner_data_samples, scores[1])
        ]
        cams = [
            self.cam(scores[0].detach(), targets[0], x.shape[2:])
            for x in (inputs, scores[0])
        ]
        keep, keep_low = (cam < self.erase_threshold for cam in cams)
        erased = self.head.scores(self.score_maps(inputs * keep))

        def stack(pair):
            return torch.cat([x[:self.num_joint] for x in pair], -2)

        joint_maps = self.score_maps(stack(images))
        union = torch.maximum(*targets)[:self.num_joint]
        labels = [
            self.labeler(self.data_preprocessor.denormalize(x), s, t, None)
            for x, s, t in zip(images, scores, targets)
        ]
        return dict(
            loss_cls=self.head.loss(scores[0], targets[0]),
            loss_kt=self.sie(
                self.head.scores(joint_maps), stack(scores), union),
            loss_two=self.ssr.mixed(joint_maps, stack(labels)),
            **self.ssr(maps[0], labels[0], cams[0], targets[0]),
            **self.mga(scores[0], erased, keep_low, targets[0]))


class Bench:
    """A model with clocks around a step and, if asked, around its labels."""

    def __init__(self, model, batch, stages):
        self.model, self.batch, self.stages = model, batch, stages
        self.cuda = batch['inputs'].is_cuda
        model.labeler.register_forward_pre_hook(self._start)
        model.labeler.register_forward_hook(self._stop)

    def now(self):
        if self.cuda:
            torch.cuda.synchronize()
        return time.perf_counter()

    def _start(self, *_):
        self.begin = self.now() if self.stages else 0

    def _stop(self, module, args, labels):
        self.labels.append(labels)
        if self.stages:
            self.label_time += self.now() - self.begin

    def step(self, bf16=False):
        """Losses and seconds of one step; the gradients stay."""
        self.model.zero_grad()
        self.labels, self.label_time = [], 0
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
        start = self.now()
        device = self.batch['inputs'].device.type
        with torch.autocast(device, dtype=torch.bfloat16, enabled=bf16):
            losses = self.model(**self.batch, mode='loss')
            total = sum(v for k, v in losses.items() if 'loss' in k)
        middle = self.now() if self.stages else 0
        total.backward()
        times = dict(total=self.now() - start)
        if self.stages:
            times['labels'] = self.label_time
            times['forwards'] = middle - start - self.label_time
            times['backward'] = times['total'] + start - middle
        if self.cuda:
            times['peak_gib'] = torch.cuda.max_memory_allocated() / 2**30
        return losses, times


def build_models(args):
    """Our model and the straightforward one, with equal random weights."""
    logging.disable(logging.INFO)  # Every initialised parameter.
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.get('default_scope', 'mmktse'))
    cfg.model.backbone.init_cfg = None
    cfg.model.head.num_classes = (
        args.classes or cfg.model.head.num_classes or 20)
    ours = MODELS.build(cfg.model)
    if type(ours) is not KTSE or None in (ours.sie, ours.ssr, ours.mga):
        raise SystemExit('The config must be a KTSE with all its terms.')
    ours.init_weights()
    other = MODELS.build(dict(cfg.model, type=StraightforwardKTSE))
    other.load_state_dict(ours.state_dict())
    for model in (ours, other):
        model.to(args.device).train()
        for module in model.modules():
            # Other batches would draw other masks.
            if isinstance(module, _DropoutNd):
                module.p = 0.
    return ours, other


def make_batch(num_classes, args):
    """Smooth images; 59 % with one class, 29 % with two, 12 % with three."""
    generator = torch.Generator().manual_seed(0)

    def half(firsts):
        coarse = torch.rand((args.batch, 3, 10, 10), generator=generator)
        images = F.interpolate(coarse, (args.crop, args.crop), mode='bicubic')
        samples = []
        for i, first in enumerate(firsts):
            rank = (i * 7 % args.batch + .5) / args.batch
            others = torch.randperm(num_classes, generator=generator)
            others = others[others != first][:(rank > .59) + (rank > .88)]
            samples.append(DataSample().set_gt_label([first,
                                                      *others.tolist()]))
        return list((images * 255).clamp(0, 255).byte()), samples

    firsts = torch.randint(num_classes, (args.batch, ), generator=generator)
    keys = ('inputs', 'data_samples')
    batch = dict(zip(keys, half(firsts.tolist())))
    batch.update(zip([f'partner_{k}' for k in keys], half(firsts.tolist())))
    return batch


@torch.no_grad()
def scale_head(models, inputs, peak=5.):
    """Gives random maps both signs and peaks as after training."""
    head = models[0].head
    # Some images say enough.
    feats = models[0].extract_feat(inputs[:4])
    mean = head.fc8(feats[-1]).relu().mean((0, 2, 3))
    weight = head.fc9.weight[1:, :, 0, 0]
    weight -= torch.outer(weight @ mean, mean) / mean.square().sum()
    peaks = head(feats).abs().amax((2, 3)).mean(0)
    head.fc9.weight *= peak / peaks[:, None, None, None]
    models[1].head.load_state_dict(head.state_dict())


def compare(ours, other):
    """Runs one step of each; what differs too much, as sentences.

    One erased pixel can move the scores of a random network by more than all
    rounding, so that our CAMs stand in for those of the other step.
    """
    faults, cams, ties = [], [], []

    def record(*args):
        cams.append(foreground_cam(*args))
        return cams[-1]

    def replay(*args):
        cam = foreground_cam(*args)
        same, = (x for x in cams if x.shape == cam.shape)
        threshold = other.model.erase_threshold
        ties.append((same < threshold) != (cam < threshold))
        return same

    # TF32 would hide what is compared.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        with patch.object(sys.modules[KTSE.__module__], 'foreground_cam',
                          record):
            got = ours.step()[0]
        with patch.object(other.model, 'cam', replay):
            want = other.step()[0]
    faults += common.differing_losses(got, want)
    labels, = ours.labels
    differ = torch.cat(other.labels)[:len(labels)] != labels
    for name, mask in (('label', differ), ('erasing', ties[0])):
        share = float(mask.float().mean())
        print(f'{name} pixels that differ: {int(mask.sum())} of '
              f'{mask.numel()} ({share:.1e})')
        if share > TIE_SHARE:
            faults.append(f'{share:.1e} of the {name} pixels differ')
    ignored, background = labels == 255, labels == 0
    for name, mask in (('background', background), ('ignored', ignored),
                       ('foreground', ~(ignored | background))):
        print(f'{name} pixels: {float(mask.float().mean()):.1%}')
        if not mask.any():
            faults.append(f'no {name} pixels: the labels are degenerate')
    faults += common.differing_gradients(ours.model, other.model)
    return faults


def time_steps(variants, repeats):
    """Medians by part of a step for each (bench, bf16), timed in turn."""
    rows = {name: [] for name in variants}
    for _ in range(1 + repeats):
        for name, (bench, bf16) in variants.items():
            rows[name].append(bench.step(bf16)[1])
            # Not to be held while the other one is measured.
            bench.model.zero_grad()
    # The first step of each is the warm-up.
    return {
        name: {
            key: statistics.median(times[key] for times in row[1:])
            for key in row[0]
        }
        for name, row in rows.items()
    }


def measure(args):
    """Compares the steps, then times them; rows of the table."""
    torch.manual_seed(0)
    models = build_models(args)
    batch = models[0].data_preprocessor(
        make_batch(models[0].head.num_classes, args), True)
    scale_head(models, batch['inputs'])
    if args.compile:
        for model in models:
            model.backbone.compile()
    ours, other = (Bench(model, batch, args.stages) for model in models)
    faults = compare(ours, other)
    if faults:
        sys.exit('Not equal: ' + '; '.join(faults) + '.')
    variants = dict(ours=(ours, args.bf16), straightforward=(other, args.bf16))
    if args.bf16:
        variants['float32'] = (ours, False)
    times = time_steps(variants, args.repeats)
    what = (f'KTSE step, {Path(args.config).stem}, crop '
            f'{args.crop}, {args.batch} pairs')
    what += ', bfloat16' * args.bf16 + ', compiled' * args.compile
    rows = []
    for name, against in (('straightforward',
                           'four forwards, labels image by image'),
                          ('float32', 'the same step in float32')):
        for part, seconds in times.get(name, {}).items():
            total = part == 'total'
            rows.append(
                common.Row(
                    what if total else f'{what}: {part}',
                    against,
                    times['ours'][part],
                    seconds,
                    unit='GiB' if part == 'peak_gib' else 's',
                    target=TARGET if total and name != 'float32' else None))
    return rows


def parse_args(argv=None):
    parser = common.make_parser(__doc__, repeats=5)
    parser.add_argument(
        '--config', default=str(common.ROOT / 'configs/ktse/ktse_r50_voc.py'))
    parser.add_argument('--crop', type=int, default=320, help='in pixels')
    parser.add_argument('--batch', type=int, default=16, help='pairs')
    parser.add_argument(
        '--classes', type=int, help='default: as in the config')
    parser.add_argument('--device', choices=['cpu', 'cuda'], default='cpu')
    parser.add_argument(
        '--bf16',
        action='store_true',
        help='autocast of both while they are timed, and ours against itself '
        'in float32; the comparison stays in float32')
    parser.add_argument(
        '--compile', action='store_true', help='torch.compile both backbones')
    parser.add_argument(
        '--stages', action='store_true', help='time the parts of a step too')
    return parser.parse_args(argv)


def main(argv=None):
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
