# Copyright (c) mmktse authors. All rights reserved.
"""Times a training step of SeCo against the straightforward schedule.

Both steps start from the same weights, memories and batch. The run fails if
their CAMs, losses, memories or gradients differ, or if the batch tests
nothing.
"""
import logging
import sys
from pathlib import Path

import common
import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmseg.structures import SegDataSample

from mmktse.registry import MODELS
from projects.seco.seco import LIGLoss, LILLoss, SeCo, multi_scale_cam

CONFIG = common.ROOT / 'projects/seco/configs'
CONFIG /= 'seco_vit-b16_1xb4-20k_voc12aug-448x448.py'
CAM_ATOL = 1e-4


class RowByRowLIL(LILLoss):
    """L_LIL as published: sums of the whole matrix anew for every row."""

    def forward(self, queries, bank, tags, bank_tags):
        tags = tags.clone()
        logits = queries @ bank.t() / self.temperature
        logits = logits - logits.detach().amax(1, keepdim=True)
        logits = logits * (tags != -1)[:, None]
        positive = (tags[:, None] == bank_tags) & (tags[:, None] != -1)
        attracted = logits * positive
        for i, row in enumerate(attracted.detach()):
            below = int((row < row.mean()).sum())
            if below / (len(row) - below + 1e-6) > self.noise_ratio:
                tags[i] = 0
                positive[i] = False
        attracted = logits * positive
        similarity = (logits * (bank_tags != -1)).exp()
        similarity = similarity * (similarity != 1)
        loss = queries.sum() * 0
        for i in range(len(tags)):
            number = len(attracted.nonzero())
            total = similarity.sum(1)[i]
            if number and total > 0:
                row = attracted[i].sum() - len(bank) * (total + 1e-12).log()
                if row < 0:
                    loss = loss - row / number
        return loss / len(tags), tags


class RowByRowLIG(LIGLoss):
    """L_LIG, one query and one class at a time."""

    def forward(self, queries, prototypes, tags):
        logits = queries @ prototypes.t() / self.temperature
        classes = [c for c in tags.unique().tolist() if c > 0]
        rows = [
            torch.stack([row[c - 1]
                         for c in classes]).logsumexp(0) - row[tag - 1]
            for row, tag in zip(logits, tags.tolist()) if tag > 0
        ]
        return sum(rows) / max(len(rows), 1)


class StraightforwardSeCo(SeCo):
    """Every view through the backbone, CAMs of all classes."""

    def __init__(self, *args, lil, lig, **kwargs):
        super().__init__(*args, lil=lil, lig=lig, **kwargs)
        self.lil, self.lig = RowByRowLIL(), RowByRowLIG()

    def cams(self, images, feats, targets, count):

        def network(views):
            feats = self.extract_feat(views)
            return self.cam_head(feats), self.aux_head(feats)

        return multi_scale_cam(network, images, self.cam_scales)

    def conquer(self, iteration, inputs, tokens, roi, targets):
        tokens = self.extract_feat(inputs['base'])[2]
        return super().conquer(iteration, inputs, tokens, roi, targets)


def build_models(args):
    """Our model and the straightforward one, with equal random weights."""
    logging.disable(logging.INFO)  # Every initialised parameter.
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    cfg.model.decode_head.num_classes = (
        cfg.model.decode_head.num_classes or 21)
    if not cfg.model.faithful:
        raise SystemExit('The published losses are timed: the config must '
                         'have faithful=True.')
    ours = MODELS.build(cfg.model)
    ours.init_weights()
    fill_queue(ours.queue, ours.num_classes)
    other = MODELS.build(dict(cfg.model, type=StraightforwardSeCo))
    other.load_state_dict(ours.state_dict())
    for model in (ours, other):
        model.to(args.device).train()
    # All terms have begun.
    step = max(ours.schedule.start.values()) + 1
    MessageHub.get_current_instance().update_info('iter', step)
    return ours, other


def fill_queue(queue, num_classes):
    """Keys that are near each other, as after some epochs, with all tags."""
    keys = torch.randn_like(queue.keys) + 2 * torch.randn(queue.keys.shape[1])
    queue.keys.copy_(torch.nn.functional.normalize(keys))
    queue.tags.copy_(torch.arange(len(queue.tags)) % (num_classes + 1) - 1)


def make_batch(model, args):
    """Smooth images, every second with one class, the others with two."""
    rng = np.random.default_rng(0)
    size = (args.crop, args.crop)
    views = {
        name: [common.smooth(rng, 3, size) * 255 for _ in range(args.batch)]
        for name in ('base', 'strong', 'second')
    }
    samples = []
    for i in range(args.batch):
        classes = rng.choice(model.num_classes - 1, 1 + i % 2, replace=False)
        sample = SegDataSample()
        sample.gt_label = torch.from_numpy(classes)
        sample.img_box = torch.tensor([0, args.crop, 0, args.crop])
        samples.append(sample)
    return model.data_preprocessor(
        dict(inputs=views, data_samples=samples), True)


def finish(loss):
    """Goes back from a loss; waits until the device has done so."""
    loss.backward()
    if loss.is_cuda:
        torch.cuda.synchronize()


def step(model, batch):
    """Losses of one step; the gradients stay."""
    model.zero_grad()
    losses = model(**batch, mode='loss')
    finish(sum(losses.values()))
    return losses


def compare(ours, other, batch):
    """Runs one step of each.

    One pixel at a threshold moves all crops, so that our CAMs stand in for
    those of the other step.

    Returns:
        tuple[list[str], tuple]: What differs too much, as sentences, and the
        arguments of L_LIL and the prototypes.
    """
    faults, seen = [], {}
    cams = SeCo.cams

    def record(*args):
        seen['cams'] = cams(ours, *args)
        return seen['cams']

    def replay(images, feats, targets, count):
        present = targets[:, :, None, None]
        found = StraightforwardSeCo.cams(other, images, feats, targets, count)
        for want, got in zip(found, seen['cams']):
            gap = float(((want - got) * present).abs().max())
            print(f'CAMs: largest difference {gap:.1e}')
            if not gap <= CAM_ATOL:
                faults.append(f'the CAMs differ by {gap:.1e}')
        return seen['cams']

    def listen(module, args):
        seen[type(module)] = args

    ours.cams, other.cams = record, replay
    hooks = [
        module.register_forward_pre_hook(listen)
        for module in (ours.lil, ours.lig)
    ]
    got, want = step(ours, batch), step(other, batch)
    del ours.cams, other.cams
    for hook in hooks:
        hook.remove()
    faults += common.differing_losses(got, want)
    for (name, a), b in zip(ours.named_buffers(), other.buffers()):
        if not torch.allclose(a, b, rtol=0, atol=1e-5):
            faults.append(f'{name} differs')
    faults += common.differing_gradients(ours, other)
    return faults, (seen[LILLoss], seen[LIGLoss][1])


def contrast(model, args, prototypes):
    """Both losses of the teachers, and back."""
    queries = args[0].detach().requires_grad_()
    loss, tags = model.lil(queries, *args[1:])
    finish(loss + model.lig(queries, prototypes, tags))


def measure(args):
    """Compares the steps, then times them; rows of the table."""
    torch.manual_seed(0)
    ours, other = build_models(args)
    batch = make_batch(ours, args)
    faults, losses = compare(ours, other, batch)
    if faults:
        sys.exit('Not equal: ' + '; '.join(faults) + '.')
    name = (f'{Path(args.config).stem}, crop {args.crop}, '
            f'batch {args.batch}')
    rows = []
    for what, against, function, rest in (
        ('SeCo step', 'every view through the backbone, losses row by row',
         step, (batch, )), ('L_LIL and L_LIG', 'row by row', contrast,
                            losses)):
        seconds = common.medians(
            {
                model: lambda model=model: function(model, *rest)
                for model in (ours, other)
            }, args.repeats)
        rows.append(
            common.Row(f'{what}, {name}', against, seconds[ours],
                       seconds[other]))
    return rows


def parse_args(argv=None):
    parser = common.make_parser(__doc__)
    parser.add_argument('--config', default=str(CONFIG))
    parser.add_argument('--crop', type=int, default=224, help='in pixels')
    parser.add_argument('--batch', type=int, default=2, help='images')
    parser.add_argument('--device', choices=['cpu', 'cuda'], default='cpu')
    return parser.parse_args(argv)


def main(argv=None):
    common.report(parse_args(argv), measure)


if __name__ == '__main__':
    main()
