# Copyright (c) mmktse authors. All rights reserved.
import json
from pathlib import Path
from typing import Sequence, Tuple, Union

import torch
from mmseg.models.segmentors import BaseSegmentor
from torch import Tensor, nn

from mmktse.models.classifiers import CAMClassifier
from mmktse.models.utils.preprocessor import swaps_channels
from mmktse.utils import atomic_write
from mmktse.version import __version__

INPUT = 'float32 RGB in [0, 255], (N, 3, H, W)'
# Relative to the largest value, or to 1: what other orders of summation do.
_TOLERANCE = 1e-3


class ExportedNetwork(nn.Module):
    """What is written to an ONNX file: a network and its normalisation.

    Args:
        model (nn.Module): Network with a ``data_preprocessor`` that has mean
            and standard deviation. It is put into evaluation mode.
        sees_rgb (bool): Whether the preprocessor makes RGB of the BGR that
            the data pipelines give; else the network sees BGR.
    """

    outputs: Tuple[str, ...]

    def __init__(self, model: nn.Module, sees_rgb: bool) -> None:
        super().__init__()
        self.model = model
        self.sees_rgb = sees_rgb
        self.eval()

    def normalize(self, image: Tensor) -> Tensor:
        """Input of the network from RGB images (N, 3, H, W) in [0, 255]."""
        if not self.sees_rgb:
            image = image.flip(1)
        # Both are in the order of channels that the network sees.
        preprocessor = self.model.data_preprocessor
        return (image - preprocessor.mean) / preprocessor.std


class ExportedSegmentor(ExportedNetwork):
    """A segmentation network of at least two classes.

    Args:
        model (BaseSegmentor): The network; ``encode_decode`` is what counts.
    """

    outputs = ('scores', )

    def __init__(self, model: BaseSegmentor) -> None:
        super().__init__(model, swaps_channels(model.data_preprocessor))

    def forward(self, image: Tensor) -> Tensor:
        """Probabilities (N, C, H, W) of RGB images (N, 3, H, W)."""
        logits = self.model.encode_decode(
            self.normalize(image), [dict(img_shape=image.shape[2:])])
        return logits.softmax(1)


class ExportedCAM(ExportedNetwork):
    """A CAM network.

    Args:
        model (CAMClassifier): The network.
    """

    outputs = ('cam', 'scores')

    def __init__(self, model: CAMClassifier) -> None:
        super().__init__(model, model.data_preprocessor.to_rgb)

    def forward(self, image: Tensor) -> Tuple[Tensor, Tensor]:
        """Maps and probabilities of RGB images (N, 3, H, W).

        Returns:
            tuple[Tensor, Tensor]: Raw class scores (N, C, h, w), and
            probabilities (N, C) of the image-level classes.
        """
        cam, logits = self.model.scores_and_logits(self.normalize(image))
        return cam, logits.sigmoid()


def exported_network(model: nn.Module) -> ExportedNetwork:
    """Wraps a network as its kind needs.

    Raises:
        ValueError: If it is no segmentation and no CAM network.
    """
    if isinstance(model, BaseSegmentor):
        return ExportedSegmentor(model)
    if isinstance(model, CAMClassifier):
        return ExportedCAM(model)
    raise ValueError(f'{type(model).__name__} cannot be exported: give the '
                     'config of a segmentation network or of a CAM network.')


def export_onnx(network: ExportedNetwork,
                path: Union[str, Path],
                size: Tuple[int, int],
                classes: Sequence[str],
                dynamic: bool = False) -> None:
    """Writes a network as an ONNX file; the batch may have any size.

    Names of classes, kind of input and version are among the metadata of the
    file, as ``classes`` (JSON), ``input`` and ``mmktse_version``.

    Args:
        network (ExportedNetwork): See :func:`exported_network`.
        path (str | Path): File to write.
        size (tuple[int, int]): Height and width of the images in pixels.
        classes (Sequence[str]): Names in the order of the channels.
        dynamic (bool): Whether other sizes are allowed as well; for
            segmentation networks. Defaults to False.

    Raises:
        ImportError: If onnx or onnxscript is missing.
        ValueError: If a CAM network is to be dynamic.
    """
    if dynamic and isinstance(network, ExportedCAM):
        raise ValueError('The pooling of a CAM network needs images of one '
                         'size: leave --dynamic away and give --size.')
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'Writing ONNX files needs the packages onnx and onnxscript: '
            '"pip install onnx onnxscript" (the extra export).') from error
    axes = {0: 'N', 2: 'H', 3: 'W'} if dynamic else {0: 'N'}
    # A batch of 1 would be taken for a constant.
    image = torch.zeros(2, 3, *size)
    program = torch.onnx.export(
        network, (image, ),
        input_names=['image'],
        output_names=network.outputs,
        dynamic_shapes=(axes, ),
        dynamo=True,
        verbose=False)
    proto = program.model_proto
    for node in proto.graph.node:
        # Stack traces: they name folders of the machine that exports.
        node.ClearField('metadata_props')
    onnx.helper.set_model_props(
        proto,
        dict(
            classes=json.dumps(list(classes)),
            input=INPUT,
            mmktse_version=__version__))
    with atomic_write(path) as file:
        file.write(proto.SerializeToString())


@torch.no_grad()
def onnx_difference(network: ExportedNetwork, path: Union[str, Path],
                    size: Tuple[int, int]) -> float:
    """Largest difference between ONNX Runtime and PyTorch.

    Args:
        network (ExportedNetwork): The network.
        path (str | Path): What :func:`export_onnx` made of it.
        size (tuple[int, int]): Height and width of the random image.

    Returns:
        float: Over all values of all outputs.

    Raises:
        ImportError: If onnxruntime is missing.
        ValueError: If they differ by more than a thousandth of the largest
            value, or the file cannot be run at this size.
    """
    import onnxruntime
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])
    image = torch.rand(1, 3, *size) * 255
    expected = network(image)
    if isinstance(expected, Tensor):
        expected = (expected, )
    try:
        found = session.run(None, dict(image=image.numpy()))
        difference = max((torch.from_numpy(x) - y).abs().max().item()
                         for x, y in zip(found, expected))
    # Whatever ONNX Runtime raises; its classes are not public.
    except Exception as error:
        raise ValueError('ONNX Runtime cannot run the file with images of '
                         f'{size[0]}x{size[1]}.') from error
    largest = max(y.abs().max().item() for y in expected)
    if not difference <= _TOLERANCE * max(1, largest):
        raise ValueError(f'The file differs from PyTorch by {difference:.2g} '
                         f'with images of {size[0]}x{size[1]}.')
    return difference
