"""CRNN: convolutions, bidirectional LSTM, CTC (Shi, Bai & Yao 2015, arXiv 1507.05717; TPAMI 2017).

``paper`` has the published layers and sizes: seven convolutions, two of them with batch
normalisation, two LSTM layers of 256 with a linear layer between them, 32 px high.

Deviations of both: crops keep their aspect ratio and vary in width instead of being squeezed to
100 px; they are ink maps in 0..1 (0 = paper); one column for four pixels
(``stages.baek_features``).
Deviations of ``small``: channels narrower, batch normalisation behind every convolution, LSTM
layers of 192 without a linear layer between, dropout.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.baek_features import MIN_HEIGHT_PX, VggFeatures
from clinic_hwr.recognition.stages.sequence import BiLstm, ProjectedBiLstm

from .contract import CtcRecognizer
from .registry import register


@dataclass(frozen=True)
class CrnnConfig:
    """Settings of the network and of its input.

    Attributes:
        feature_channels: of the four stages of the convolutions.
        normalised: convolutions with batch normalisation, counted from 0.
        lstm_projections: one size for each LSTM layer, which replace ``lstm_layers``; see
            ``ProjectedBiLstm``. Empty = layers without projections.
    """

    height_px: int = 32
    max_width_px: int = 640
    feature_channels: tuple[int, int, int, int] = (24, 48, 96, 160)
    normalised: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    lstm_hidden: int = 192
    lstm_layers: int = 2
    lstm_projections: tuple[int, ...] = ()
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.height_px < MIN_HEIGHT_PX:
            raise ValueError(f"CRNN needs crops {MIN_HEIGHT_PX} px high or higher.")


SMALL = CrnnConfig()
PAPER = replace(
    SMALL,
    feature_channels=(64, 128, 256, 512),
    normalised=(4, 5),
    lstm_hidden=256,
    lstm_projections=(256, 0),
    dropout=0.0,
)
TINY = replace(SMALL, feature_channels=(8, 16, 24, 32), lstm_hidden=24, lstm_layers=1)


class CrnnCtc(CtcRecognizer):
    """VGG features, bidirectional LSTM, CTC."""

    def __init__(self, config: CrnnConfig, charset: Charset):
        super().__init__(config, charset)
        self.features = VggFeatures(config.feature_channels, config.normalised)
        width = self.features.out_channels
        self.sequence: BiLstm | ProjectedBiLstm
        if config.lstm_projections:
            self.sequence = ProjectedBiLstm(width, config.lstm_hidden, config.lstm_projections)
        else:
            self.sequence = BiLstm(width, config.lstm_hidden, config.lstm_layers, config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.ctc = nn.Linear(self.sequence.out_features, charset.size)

    def columns(self, images: Tensor) -> Tensor:
        """See ``CtcRecognizer``."""
        columns: Tensor = self.dropout(self.sequence(self.features(images)))
        return columns


@register(
    "crnn_ctc",
    config=CrnnConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Shi et al. 2015, arXiv 1507.05717",
    paper_parameters=8_360_032,
)
def build(config: CrnnConfig, charset: Charset) -> CrnnCtc:
    """Build CRNN."""
    return CrnnCtc(config, charset)
