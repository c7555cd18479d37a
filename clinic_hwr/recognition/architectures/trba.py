"""TPS-ResNet-BiLSTM-Attention (Baek et al. 2019, arXiv 1904.01906), with a joint CTC layer.

Deviations: the features are a timm ResNet whose width stride is 4 (FAN's is 4 as well, by
pooling); crops keep their aspect ratio and vary in width instead of being squeezed to
32x100; the rectifier starts at the identity; previous characters are embedded instead of
one-hot; the end symbol is part of the score; a CTC layer on the same encoder is trained
beside the decoder (Kim et al. 2017, joint CTC-attention), as a second opinion on each crop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.features import ResNetFeatures
from clinic_hwr.recognition.stages.prediction import AttentionDecoder
from clinic_hwr.recognition.stages.sequence import BiLstm
from clinic_hwr.recognition.stages.transformation import TpsRectifier

from .contract import Encoded, column_lengths, ctc_loss
from .registry import register


@dataclass(frozen=True)
class TrbaConfig:
    """Settings of the four stages and of the input."""

    height_px: int = 32
    max_width_px: int = 640
    transformation: str = "tps"  # tps | none
    fiducial_points: int = 20
    feature_channels: tuple[int, int, int, int] = (24, 48, 96, 160)
    feature_layers: tuple[int, int, int, int] = (1, 1, 2, 1)
    stem_width: int = 12
    sequence: str = "bilstm"  # bilstm | none
    lstm_hidden: int = 128
    lstm_layers: int = 2
    dropout: float = 0.1
    decoder_hidden: int = 128
    ctc_weight: float = 0.5  # share of the CTC loss in the joint loss; 1 = no decoder is trained


SMALL = TrbaConfig()
PAPER = replace(
    SMALL,
    feature_channels=(128, 256, 512, 512),
    feature_layers=(1, 2, 5, 3),
    stem_width=32,
    lstm_hidden=256,
    decoder_hidden=256,
)
TINY = replace(  # for tests: seconds on one core
    SMALL,
    feature_channels=(8, 16, 24, 32),
    feature_layers=(1, 1, 1, 1),
    stem_width=8,
    fiducial_points=8,
    lstm_hidden=24,
    lstm_layers=1,
    decoder_hidden=32,
)


class Trba(nn.Module):
    """The four stages as one module."""

    def __init__(self, config: TrbaConfig, charset: Charset):
        super().__init__()
        self.config = config
        self.charset = charset
        if config.transformation not in ("tps", "none"):
            raise ValueError("transformation must be 'tps' or 'none'.")
        if config.sequence not in ("bilstm", "none"):
            raise ValueError("sequence must be 'bilstm' or 'none'.")
        self.transformation: nn.Module = (
            TpsRectifier(config.fiducial_points)
            if config.transformation == "tps"
            else nn.Identity()
        )
        self.features = ResNetFeatures(
            config.feature_channels, config.feature_layers, config.stem_width
        )
        width = self.features.out_channels
        self.sequence: nn.Module = nn.Identity()
        if config.sequence == "bilstm":
            self.sequence = BiLstm(width, config.lstm_hidden, config.lstm_layers, config.dropout)
            width = 2 * config.lstm_hidden
        self.dropout = nn.Dropout(config.dropout)
        self.ctc = nn.Linear(width, charset.size)
        self.decoder = AttentionDecoder(width, config.decoder_hidden, charset.size)

    def encode(self, images: Tensor, widths: Tensor) -> Encoded:
        """Encode ink maps.

        Args:
            images: (batch, 1, height_px, width) in 0..1, paper = 0, padded on the right.
            widths: (batch,) true widths in pixels.
        """
        columns = self.dropout(self.sequence(self.features(self.transformation(images))))
        lengths = column_lengths(widths)
        mask = torch.arange(columns.shape[1], device=columns.device) < lengths.unsqueeze(1)
        return Encoded(columns, mask, self.ctc(columns))

    def forward(self, images: Tensor, widths: Tensor, targets: Tensor) -> tuple[Encoded, Tensor]:
        """Encode and decode with teacher forcing; see ``encode`` and ``AttentionDecoder``."""
        encoded = self.encode(images, widths)
        return encoded, self.decoder(encoded.columns, encoded.mask, targets)

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """Joint loss.

        Args:
            images, widths: see ``encode``.
            targets: (batch, L) classes, 0 behind the end.
            lengths: (batch,) string lengths.

        Returns:
            ``loss`` and its parts ``ctc`` and ``attention``, each a mean a sample; a part of
            weight 0 is not computed.
        """
        encoded = self.encode(images, widths)
        weight = self.config.ctc_weight
        parts: dict[str, Tensor] = {}
        total = encoded.columns.new_zeros(())
        if weight > 0:
            parts["ctc"] = ctc_loss(encoded.ctc_logits, widths, targets, lengths)
            total = total + weight * parts["ctc"]
        if weight < 1:
            logits = self.decoder(encoded.columns, encoded.mask, targets)
            parts["attention"] = _cross_entropy(logits, targets, lengths)
            total = total + (1 - weight) * parts["attention"]
        return {"loss": total} | {name: part.detach() for name, part in parts.items()}


def _cross_entropy(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """Mean cross entropy a character, end symbol included; (batch, L + 1, classes) logits."""
    steps = torch.arange(logits.shape[1], device=logits.device)
    wanted = F.pad(targets, (0, 1))
    wanted = wanted.masked_fill(steps > lengths.unsqueeze(1), -100)
    return F.cross_entropy(
        logits.float().flatten(0, 1), wanted.flatten(), ignore_index=-100, label_smoothing=0.02
    )


@register(
    "trba",
    config=TrbaConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Baek et al. 2019, arXiv 1904.01906",
)
def build(config: TrbaConfig, charset: Charset) -> Trba:
    """Build TPS-ResNet-BiLSTM-Attention."""
    return Trba(config, charset)
