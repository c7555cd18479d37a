"""A reader without recurrence: convolutions, gates and CTC. The second opinion.

After Coquenet et al. 2020 (arXiv 2012.04961, gated fully convolutional network) and Yousef
et al. 2020 (arXiv 1812.11894). It is another kind of network than ``trba`` on purpose: no
rectifier, no LSTM, no decoder, a larger input, so that both rarely make the same mistake.

Deviations: the 2-D part is a timm ResNet whose height is max-pooled away; the gates are
gated linear units (Dauphin et al. 2017) over columns, with growing dilation instead of
many layers; batch instead of instance normalisation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional as F

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.features import ResNetFeatures

from .contract import CtcRecognizer
from .registry import register


@dataclass(frozen=True)
class FcnConfig:
    """Settings of the network and of its input.

    Attributes:
        dilations: one gated block each, over columns.
        kernel: columns a gate looks at.
    """

    height_px: int = 40
    max_width_px: int = 800
    feature_channels: tuple[int, int, int, int] = (24, 48, 112, 224)
    feature_layers: tuple[int, int, int, int] = (1, 1, 2, 1)
    stem_width: int = 12
    context: int = 256
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2)
    kernel: int = 5
    dropout: float = 0.1


SMALL = FcnConfig()
PAPER = replace(  # about the size of Coquenet et al.: 6 to 8 million parameters
    SMALL,
    height_px=64,
    max_width_px=1280,
    feature_channels=(32, 64, 128, 256),
    feature_layers=(2, 2, 2, 2),
    stem_width=32,
    context=256,
    dilations=(1, 2, 4, 8, 1, 2, 4, 8),
)
TINY = replace(
    SMALL,
    height_px=32,
    feature_channels=(8, 16, 24, 32),
    feature_layers=(1, 1, 1, 1),
    stem_width=8,
    context=32,
    dilations=(1, 2),
)


class GatedBlock(nn.Module):
    """Residual gated linear unit over columns; (B, C, 1, T) -> the same."""

    def __init__(self, channels: int, kernel: int, dilation: int, dropout: float):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        reach = dilation * (kernel // 2)
        self.conv = nn.Conv2d(
            channels, 2 * channels, (1, kernel), padding=(0, reach), dilation=(1, dilation)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, columns: Tensor) -> Tensor:
        """Add what the gate lets through."""
        return columns + self.dropout(F.glu(self.conv(self.norm(columns)), dim=1))


class FcnCtc(CtcRecognizer):
    """Residual features, gated blocks, CTC."""

    def __init__(self, config: FcnConfig, charset: Charset):
        super().__init__(config, charset)
        self.features = ResNetFeatures(
            config.feature_channels, config.feature_layers, config.stem_width
        )
        self.enter = nn.Conv2d(self.features.out_channels, config.context, 1)
        self.blocks = nn.Sequential(
            *(
                GatedBlock(config.context, config.kernel, d, config.dropout)
                for d in config.dilations
            )
        )
        self.norm = nn.BatchNorm2d(config.context)
        self.dropout = nn.Dropout(config.dropout)
        self.ctc = nn.Linear(config.context, charset.size)

    def columns(self, images: Tensor) -> Tensor:
        """See ``CtcRecognizer``."""
        features = self.features(images).transpose(1, 2).unsqueeze(2)  # (B, C, 1, T)
        context = F.relu(self.norm(self.blocks(self.enter(features))))
        columns: Tensor = self.dropout(context.squeeze(2).transpose(1, 2))
        return columns


@register(
    "fcn_ctc",
    config=FcnConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Coquenet et al. 2020, arXiv 2012.04961",
    paper_parameters=8_175_680,
)
def build(config: FcnConfig, charset: Charset) -> FcnCtc:
    """Build the fully convolutional reader."""
    return FcnCtc(config, charset)
