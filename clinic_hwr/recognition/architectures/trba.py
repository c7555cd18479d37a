"""TPS-ResNet-BiLSTM-Attention (Baek et al. 2019, arXiv 1904.01906), with a joint CTC layer.

Deviations: the features are a timm ResNet whose width stride is 4 (FAN's is 4 as well, by
pooling); crops keep their aspect ratio and vary in width instead of being squeezed to
32x100; the rectifier starts at the identity; previous characters are embedded instead of
one-hot; the end symbol is part of the score; a CTC layer on the same encoder is trained
beside the decoder (Kim et al. 2017, joint CTC-attention), as a second opinion on each crop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.features import ResNetFeatures
from clinic_hwr.recognition.stages.prediction import AttentionDecoder
from clinic_hwr.recognition.stages.sequence import BiLstm
from clinic_hwr.recognition.stages.transformation import TpsRectifier

from .contract import Encoded, Recognizer, column_mask, ctc_loss, decoder_loss
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


class Trba(Recognizer):
    """The four stages as one module."""

    decoder: AttentionDecoder

    def __init__(self, config: TrbaConfig, charset: Charset):
        super().__init__(config, charset)
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

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """Run the first three stages and the CTC layer; see ``Recognizer``."""
        columns, mask = self._columns(images, widths)
        return Encoded(columns, mask, self.ctc(columns))

    def _columns(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        columns = self.dropout(self.sequence(self.features(self.transformation(images))))
        return columns, column_mask(widths, columns.shape[1])

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """Joint loss; see ``Recognizer.loss``.

        Returns:
            ``loss`` and its parts ``ctc`` and ``attention``, each a mean a sample; a part of
            weight 0 is not computed.
        """
        columns, mask = self._columns(images, widths)
        weight = self.config.ctc_weight
        parts: dict[str, Tensor] = {}
        total = columns.new_zeros(())
        if weight > 0:
            parts["ctc"] = ctc_loss(self.ctc(columns), mask, targets, lengths)
            total = total + weight * parts["ctc"]
        if weight < 1:
            logits = self.decoder(columns, mask, targets)
            parts["attention"] = decoder_loss(logits, targets, lengths)
            total = total + (1 - weight) * parts["attention"]
        return {"loss": total} | {name: part.detach() for name, part in parts.items()}


@register(
    "trba",
    config=TrbaConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Baek et al. 2019, arXiv 1904.01906",
    paper_parameters=43_784_824,
)
def build(config: TrbaConfig, charset: Charset) -> Trba:
    """Build TPS-ResNet-BiLSTM-Attention."""
    return Trba(config, charset)
