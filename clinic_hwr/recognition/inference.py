"""Making a trained network fast on a CPU, and keeping its threads from fighting.

Measured on one core of an AMD EPYC with AVX-512 (torch 2.13, both cores busy, CPU time, encoder
only). Equal widths, 16 crops of 96 to 320 px: folded and channels-last, ``trba`` small is 1.2 to
1.4 times as fast as trained, ``fcn_ctc`` small 1.03 to 1.16 times. On 320 real words in batches
of 16, where few crops share a width: 1.13 and 1.14 times.

Encoders that can be exported run on ONNX Runtime instead (``onnx_encoder``); what stays in torch is
prepared here. Left out: bfloat16, 1.6 to 1.7 times as fast with 16 equal widths, but log
probabilities move by up to 0.3, so calibration would depend on the kind of CPU.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import cv2
import torch
from torch import nn
from torch.fx.experimental.optimization import fuse

from .stages.transformation import TpsRectifier

Model = TypeVar("Model", bound=nn.Module)


def prepare_for_inference(model: Model) -> Model:
    """Return a faster module that computes the same; the given one stays as it is.

    Batch normalisation is folded into the convolution before it (exact in real numbers; in
    float32 log probabilities move by about 1e-5), and convolutions run channels-last.

    Args:
        model: a recognizer (``architectures.contract``); trained, in any mode.

    Returns:
        a copy in evaluation mode, of the same class. It cannot be trained further.
    """
    fast = copy.deepcopy(model).eval()
    for name, module in list(fast.named_modules()):
        # Elsewhere folding would be wrong: the gates of ``fcn_ctc`` normalise first, and the
        # recurrent convolutions of ``rcnn`` share a kernel between several normalisations.
        if getattr(module, "foldable", False):
            fast.set_submodule(name, fuse(module))
        elif isinstance(module, TpsRectifier):
            fast.set_submodule(f"{name}.localisation", fuse(module.localisation))
    # torch's stubs know no ``to`` with nothing but a memory format.
    return fast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def limit_threads(count: int) -> None:
    """Let torch and OpenCV use at most ``count`` threads each in this process.

    Both start as many threads as the machine has cores. Several workers then fight over the
    same cores, and each waits for its slowest thread: with two threads on two busy cores
    training was ten times slower (docs/recognition.md). Call this once in every worker
    process, after the fork and before the first reading; workers times ``count`` should not
    exceed the cores. The variables OMP_NUM_THREADS and MKL_NUM_THREADS do the same only when
    they are set before torch is imported.

    Args:
        count: at least 1.

    Raises:
        ValueError: ``count`` is below 1.
    """
    if count < 1:
        raise ValueError("A process needs at least one thread.")
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
