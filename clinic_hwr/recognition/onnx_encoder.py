"""Encoders on ONNX Runtime: the same figures as torch, in about half the time on a CPU.

Measured on one core of an AMD EPYC with AVX-512, both cores busy, 40 batches of 1 to 4 crops of
64 to 288 px: ``trba`` small 4.3 -> 3.0 ms a crop, ``fcn_ctc`` small 5.0 -> 3.3 (torch 2.13,
onnxruntime 1.32); log probabilities move by less than 1e-3 (a test holds them to that).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .architectures.contract import Encoded, Recognizer, column_mask

OPSET = 17
EXAMPLE_WIDTH_PX = 160  # any: widths stay free


class OnnxRecognizer(Recognizer):
    """A trained recognizer whose encoder runs on ONNX Runtime; reads, cannot be trained.

    What comes before the encoder (the rectifier) and the decoder stay torch modules.

    Args:
        model: as trained, with an ``exported_encoder``; ONNX Runtime folds what it can itself.
        rest: does what stays in torch, the rectifier and the decoder: the model itself, or
            what ``prepare_for_inference`` made of it.
        threads: of the encoder; at least 1.

    Raises:
        ValueError: the family has no part that can be exported.
    """

    def __init__(self, model: Recognizer, rest: Recognizer, threads: int):
        super().__init__(model.config, model.charset)
        self.eval()
        encoder = model.exported_encoder()
        if encoder is None:
            raise ValueError(f"{type(model).__name__} has no encoder for ONNX Runtime.")
        self.decoder = rest.decoder
        self.has_ctc = model.has_ctc
        self._rectify = rest.rectify
        self._outputs = ["columns", "logits"] if model.has_ctc else ["columns"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            _exported(encoder, model.config.height_px, self._outputs),
            options,
            providers=["CPUExecutionProvider"],
        )

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """See ``Recognizer``."""
        rectified: NDArray[np.float32] = self._rectify(images).contiguous().numpy()
        found = [
            torch.from_numpy(part)
            for part in self._session.run(self._outputs, {"images": rectified})
        ]
        logits = found[1] if self.has_ctc else None
        return Encoded(found[0], column_mask(widths, found[0].shape[1]), logits)

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """A recognizer on ONNX Runtime cannot be trained."""
        raise TypeError("A recognizer on ONNX Runtime cannot be trained.")


def _exported(encoder: nn.Module, height_px: int, outputs: Sequence[str]) -> bytes:
    """The encoder as an ONNX file; takes half a second."""
    free = {0: "batch", 1: "columns"}
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        target = Path(folder) / "encoder.onnx"
        # The newer exporter cannot leave batch and width of the LSTM free (torch 2.13), and
        # this one warns that it is older and that a batch of another size might not fit: the
        # parity test reads batches of several sizes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            encoder.eval(),
            (torch.zeros(2, 1, height_px, EXAMPLE_WIDTH_PX),),
            target,
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=list(outputs),
            dynamic_axes={"images": {0: "batch", 3: "width"}} | dict.fromkeys(outputs, free),
        )
        return target.read_bytes()
