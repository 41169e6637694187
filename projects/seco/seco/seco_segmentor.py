# Copyright (c) mmktse authors. All rights reserved.
from typing import Dict, List, Sequence, Tuple

import torch
from mmengine.logging import MessageHub
from mmengine.model import ExponentialMovingAverage
from mmseg.models.segmentors import EncoderDecoder
from mmseg.utils import SampleList
from torch import Tensor, nn

from mmktse.models.utils import resize
from mmktse.registry import MODELS
from .cam_labels import PseudoMaskLabeler, banded_label, token_label
from .decomposition import ImageDecomposition, crop
from .memory import KeyQueue, Prototypes
from .multi_scale_cam import multi_scale_cam
from .schedule import Schedule


def idle(module: nn.Module) -> Tensor:
    """A loss of 0 that gives the parameters of a module gradients of 0.

    The optimizer then decays them, as it does with the published code, which
    multiplies terms that have not begun by 0, and no process of a distributed
    run waits for them.
    """
    return sum(param.sum() for param in module.parameters()) * 0.


@MODELS.register_module()
class SeCo(EncoderDecoder):
    """Separate and Conquer, Yang et al., CVPR 2024.

    A single-stage network: image-level labels go in, and the network that is
    trained predicts masks; as that it is mmseg's ``EncoderDecoder``. In a
    step its own CAMs, of two heads, become

    - pseudo masks, refined by PAR, for the decode head (:meth:`segment`),
    - labels of patch tokens, which should differ between classes, and
    - the places and tags of local crops, which separate classes that occur
      together. A student's views are compared with the teachers'
      (:meth:`conquer`): with keys of a slowly moving copy of the network and
      with prototypes of the classes.

    Args:
        cam_head (dict): :class:`GMPHead` on the last map. The number of
            classes is that of the decode head less the background.
        aux_head (dict): The same on the auxiliary map.
        projector (dict): :class:`SeCoProjector`.
        ptc (dict): :class:`PTCLoss`.
        lil (dict): :class:`LILLoss`.
        lig (dict): :class:`LIGLoss`.
        reg (dict): :class:`DenseEnergyLoss`.
        schedule (dict): Arguments of :class:`Schedule`, with the terms 'ptc',
            'lil', 'lig', 'seg' and 'reg'.
        cam_scales (Sequence[float]): See :func:`multi_scale_cam`.
        thresholds (tuple[float, float]): CAM above which a class is
            confident, and up to which background is.
        decomposition (dict): Arguments of :class:`ImageDecomposition`.
        queue (dict): Arguments of :class:`KeyQueue`.
        prototypes (dict): Arguments of :class:`Prototypes`.
        labeler (dict): Arguments of :class:`PseudoMaskLabeler`.
        momentum (float): What the teacher keeps of itself in a step.
            Defaults to 0.999.
        faithful (bool): Whether the parts follow the published code where it
            departs from its evident intent; each says how, and can be set
            by itself but for :func:`token_label`. Defaults to True.
        **kwargs: Arguments of :class:`mmseg.models.EncoderDecoder`. The
            backbone is a :class:`SeCoViT`, the decode head's ``loss_decode``
            a :class:`mmktse.models.losses.BalancedSegLoss`.
    """

    def __init__(self,
                 *,
                 cam_head: dict,
                 aux_head: dict,
                 projector: dict,
                 ptc: dict,
                 lil: dict,
                 lig: dict,
                 reg: dict,
                 schedule: dict,
                 cam_scales: Sequence[float],
                 thresholds: Tuple[float, float],
                 decomposition: dict = dict(),
                 queue: dict = dict(),
                 prototypes: dict = dict(),
                 labeler: dict = dict(),
                 momentum: float = 0.999,
                 faithful: bool = True,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        # Heads of images do not count the background.
        num_classes = self.num_classes - 1
        self.cam_head = MODELS.build(dict(cam_head, num_classes=num_classes))
        self.aux_head = MODELS.build(dict(aux_head, num_classes=num_classes))
        self.projector = MODELS.build(projector)
        # Their first update copies the student, however it was initialised.
        self.teacher = ExponentialMovingAverage(self.backbone, 1 - momentum)
        self.teacher_projector = ExponentialMovingAverage(
            self.projector, 1 - momentum)
        switch = dict(faithful=faithful)
        self.queue = KeyQueue(**{**switch, **queue})
        self.prototypes = Prototypes(num_classes, **{**switch, **prototypes})
        self.decompose = ImageDecomposition(**{**switch, **decomposition})
        self.ptc = MODELS.build(ptc)
        self.lil = MODELS.build({**switch, **lil})
        self.lig = MODELS.build(lig)
        self.reg = MODELS.build(reg)
        self.schedule = Schedule(**schedule)
        self.cam_scales = cam_scales
        self.thresholds = thresholds
        self.labeler = PseudoMaskLabeler(thresholds, **{**switch, **labeler})
        self.faithful = faithful

    def loss(self, inputs: Dict[str, Tensor],
             data_samples: SampleList) -> Dict[str, Tensor]:
        """Losses of a step.

        Args:
            inputs (dict[str, Tensor]): The views 'base', 'strong' and
                'second' of the images, (b, 3, H, W) each.
            data_samples (list[SegDataSample]): With ``gt_label`` and
                ``img_box``, see :class:`PackViews`.

        Returns:
            dict[str, Tensor]: ``loss_cls``, ``loss_aux``, ``loss_ptc``,
            ``loss_lil``, ``loss_lig``, ``loss_seg`` and ``loss_reg``, scalars,
            already weighted. Terms that have not begun are 0.
        """
        iteration = MessageHub.get_current_instance().get_info('iter')
        images = inputs['base']
        num_present = [len(sample.gt_label) for sample in data_samples]
        targets = self.targets(data_samples, images)
        boxes = torch.stack([sample.img_box for sample in data_samples])
        feats = self.extract_feat(images)
        main, aux = self.cams(images, feats, targets, max(num_present))
        begun = self.schedule.begun
        losses = dict(
            loss_cls=self.cam_head.loss(feats, targets),
            loss_aux=self.aux_head.loss(feats, targets),
            loss_ptc=images.new_zeros(()))
        if begun('ptc', iteration):
            losses['loss_ptc'] = self.ptc(
                feats[1],
                token_label(aux, targets, boxes, self.thresholds,
                            feats[1].shape[2:], self.faithful))
        roi = banded_label(
            main if begun('main_roi', iteration) else aux,
            targets,
            boxes,
            self.thresholds,
            band=-1)
        losses.update(self.conquer(iteration, inputs, feats[2], roi, targets))
        losses.update(
            self.segment(iteration, images, feats,
                         main if begun('main_mask', iteration) else aux,
                         targets, num_present, boxes))
        for name in self.schedule.weights:
            losses[f'loss_{name}'] *= self.schedule.weight(name, iteration)
        return losses

    def targets(self, data_samples: SampleList, like: Tensor) -> Tensor:
        """Image-level labels (b, C), 0 or 1, on the device of ``like``."""
        targets = like.new_zeros((len(data_samples), self.num_classes - 1))
        for row, sample in zip(targets, data_samples):
            row[sample.gt_label] = 1.
        return targets

    @torch.no_grad()
    def cams(self, images: Tensor, feats: Sequence[Tensor], targets: Tensor,
             count: int) -> List[Tensor]:
        """CAMs of the present classes, by the student as it is.

        Args:
            images (Tensor): Images (b, 3, H, W).
            feats (Sequence[Tensor]): Their features.
            targets (Tensor): Image-level labels (b, C).
            count (int): Most classes K of an image. No more than K maps of
                each image are brought to full size.

        Returns:
            list[Tensor]: CAMs (b, C, H, W) in [0, 1) of both heads. Those of
            absent classes have no meaning.
        """
        # Present classes first.
        classes = targets.argsort(dim=1, descending=True, stable=True)
        classes = classes[:, :count, None, None]

        def present(feats: Sequence[Tensor]) -> List[Tensor]:
            places = classes.repeat(len(feats[0]) // len(classes), 1, 1, 1)
            return [
                maps.gather(1, places.expand(-1, -1, *maps.shape[2:]))
                for maps in (self.cam_head(feats), self.aux_head(feats))
            ]

        places = classes.expand(-1, -1, *images.shape[2:])
        return [
            cam.new_zeros(
                (*targets.shape, *images.shape[2:])).scatter_(1, places, cam)
            for cam in multi_scale_cam(
                lambda views: present(self.extract_feat(views)), images,
                self.cam_scales, present(feats))
        ]

    def conquer(self, iteration: int, inputs: Dict[str,
                                                   Tensor], tokens: Tensor,
                roi: Tensor, targets: Tensor) -> Dict[str, Tensor]:
        """Contrast with both teachers, which learn on the way.

        Args:
            iteration (int): From 0.
            inputs (dict[str, Tensor]): Views (b, 3, H, W).
            tokens (Tensor): Class tokens (b, D) of the base view.
            roi (Tensor): ROI maps (b, H, W), see
                :class:`ImageDecomposition`.
            targets (Tensor): Image-level labels (b, C).

        Returns:
            dict[str, Tensor]: ``loss_lil`` and ``loss_lig``, not weighted.
        """
        begun = [
            self.schedule.begun(name, iteration) for name in ('lil', 'lig')
        ]
        corners, tags = self.decompose(roi)
        local, strong = (
            crop(inputs[name], corners, self.decompose.crop_size)
            for name in ('base', 'strong'))
        # Until the contrast begins, the student's tokens only become keys.
        with torch.set_grad_enabled(any(begun)):
            views = torch.stack(
                (tokens, self.extract_feat(inputs['second'])[2]), dim=1)
        tags = tags.flatten()
        with torch.no_grad():
            self.teacher.update_parameters(self.backbone)
            self.teacher_projector.update_parameters(self.projector)
            # As published: keys of global views come from the student.
            keys = self.with_crops(self.teacher, views, strong)
            bank, bank_tags = self.queue(self.teacher_projector(keys), tags)
            if self.schedule.begun('prototypes', iteration):
                labels = targets.argmax(1) + 1
                labels.masked_fill_(targets.sum(1) != 1, -1)
                self.prototypes.update(tokens, labels)
        if not any(begun):
            return dict(
                loss_lil=idle(self.projector), loss_lig=idle(self.projector))
        queries = self.projector(self.with_crops(self.backbone, views, local))
        loss_lil, tags = self.lil(queries, bank, tags, bank_tags)
        loss_lig = self.lig(queries, self.prototypes.vectors, tags)
        return dict(loss_lil=loss_lil, loss_lig=loss_lig)

    @staticmethod
    def with_crops(network: nn.Module, views: Tensor, crops: Tensor) -> Tensor:
        """Class tokens of all views, those of an image one after another.

        Args:
            network (nn.Module): What the crops are shown to.
            views (Tensor): Class tokens (b, 2, D) of the global views.
            crops (Tensor): Local crops (b, n, 3, s, s).

        Returns:
            Tensor: (b * (n + 2), D).
        """
        local = network(crops.flatten(0, 1))[2].unflatten(0, crops.shape[:2])
        return torch.cat((views, local), dim=1).flatten(0, 1)

    def segment(self, iteration: int, images: Tensor, feats: Sequence[Tensor],
                cams: Tensor, targets: Tensor, num_present: Sequence[int],
                boxes: Tensor) -> Dict[str, Tensor]:
        """Trains the decode head on refined CAMs.

        Args:
            iteration (int): From 0.
            images (Tensor): Base view (b, 3, H, W).
            feats (Sequence[Tensor]): Its features.
            cams (Tensor): CAMs (b, C, H, W) in [0, 1).
            targets (Tensor): Image-level labels (b, C).
            num_present (Sequence[int]): Number of classes of each image.
            boxes (Tensor): Where the view shows the image (b, 4).

        Returns:
            dict[str, Tensor]: ``loss_seg`` and ``loss_reg``, not weighted by
            the schedule.
        """
        if not any(
                self.schedule.begun(name, iteration)
                for name in ('seg', 'reg')):
            return dict(
                loss_seg=idle(self.decode_head),
                loss_reg=idle(self.decode_head))
        preprocessor = self.data_preprocessor
        pixels = images * preprocessor.std + preprocessor.mean
        mask = self.labeler(pixels / 255, cams, targets, num_present, boxes)
        logits = resize(self.decode_head(feats).float(), images.shape[2:])
        return dict(
            loss_seg=self.decode_head.loss_decode(logits, mask),
            loss_reg=self.reg(pixels, logits, mask, boxes))


@MODELS.register_module()
class SeCoSeeds(SeCo):
    """A trained :class:`SeCo` as CAM network.

    Its predictions are what :class:`mmktse.evaluation.SeedMetric` and
    tools/make_pseudo_labels.py work with. CAMs are merged at the size of the
    input and then brought to that of the original image.

    Args:
        seed_scales (Sequence[float]): Scales of the input. Defaults to (1, ).
        seed_head (str): 'cam_head' or 'aux_head'. Defaults to 'cam_head'.
        **kwargs: Arguments of :class:`SeCo`.
    """

    def __init__(self,
                 *,
                 seed_scales: Sequence[float] = (1, ),
                 seed_head: str = 'cam_head',
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.seed_scales = seed_scales
        self.seed_head = seed_head

    def predict(self, inputs: Tensor, data_samples: List) -> List:
        """CAMs of the present classes.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            data_samples (list[DataSample]): With ``ori_shape`` and, where
                there is one, the image-level label ``gt_label``; other images
                show the classes whose logits are positive.

        Returns:
            list[DataSample]: With ``cam`` (K, H, W) in [0, 1) at the original
            size, ``cam_classes`` (K,), ``pred_score`` (C,) and the meta key
            ``cam_source``, "label" or "prediction".
        """
        head = getattr(self, self.seed_head)
        feats = self.extract_feat(inputs)
        cams, = multi_scale_cam(lambda x: [head(self.extract_feat(x))], inputs,
                                self.seed_scales, [head(feats)])
        logits = head.logits(feats)
        for cam, logit, sample in zip(cams, logits, data_samples):
            sample.set_pred_score(logit.sigmoid())
            known = 'gt_label' in sample
            classes = sample.gt_label if known else (logit > 0).nonzero()[:, 0]
            sample.set_metainfo(
                dict(cam_source='label' if known else 'prediction'))
            sample.cam_classes = classes
            # Classes as images, of which there may be none.
            sample.cam = resize(cam[classes, None], sample.ori_shape[:2])[:, 0]
        return data_samples
