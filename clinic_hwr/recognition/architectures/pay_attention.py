"""Pay Attention to What You Read: no recurrence, transformer on both sides (Kang et al. 2020).

arXiv 2005.13044. Features of a ResNet-50 with height folded into channels, a linear layer to
f = 1024, sinusoidal positions and a linear layer, visual self-attention; then the text
transcriber (``stages.transcriber``). 4 layers and 8 heads on both sides, dropout 0.1, label
smoothing 0.4 with the Kullback-Leibler loss, no CTC.

Deviations of every preset: one channel of ink instead of RGB and no ImageNet weights; class 0
is start and end, so there is neither a padding class nor a second mark; the end symbol is part
of the score. The paper gives no width of the feed-forward layers: 1024 comes closest to the
100 million parameters it states.

Deviations of ``small``, after the light transformer of Barrere et al. 2022, whose size it is
below: joint loss with CTC on the visual side (a decoder alone learns far too slowly on two
cores); features of ``stages.features``, whose height is max-pooled and whose columns are 4
instead of 32 pixels wide; normalisation before each part instead of behind it; label smoothing
0.02, as 0.4 ruins confidence.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.features import PIXELS_PER_COLUMN, ResNetFeatures
from clinic_hwr.recognition.stages.transcriber import Transcriber, sinusoids

from .contract import LABEL_SMOOTHING, Encoded, Recognizer, column_mask
from .joint_loss import joint_loss
from .registry import register


@dataclass(frozen=True)
class PayAttentionConfig:
    """Settings of both sides and of the input.

    Attributes:
        features: ``light`` (``stages.features.ResNetFeatures``) or ``resnet50`` (timm's).
        feature_channels, feature_layers, stem_width: of the light features.
        model: width f of everything behind the features.
        visual_layers, text_layers: of self-attention over columns, of the transcriber.
        norm_first: see ``TranscriberLayer``; the same on the visual side.
        ctc_weight: share of the CTC loss, below 1; at 0 there is no CTC layer.
    """

    height_px: int = 32
    max_width_px: int = 640
    features: str = "light"
    feature_channels: tuple[int, int, int, int] = (24, 48, 96, 160)
    feature_layers: tuple[int, int, int, int] = (1, 1, 2, 1)
    stem_width: int = 12
    model: int = 160
    heads: int = 4
    visual_layers: int = 2
    text_layers: int = 2
    feed_forward: int = 320
    dropout: float = 0.1
    norm_first: bool = True
    label_smoothing: float = LABEL_SMOOTHING
    ctc_weight: float = 0.5


SMALL = PayAttentionConfig()
PAPER = PayAttentionConfig(
    height_px=64,
    max_width_px=2048,
    features="resnet50",
    model=1024,
    heads=8,
    visual_layers=4,
    text_layers=4,
    feed_forward=1024,
    norm_first=False,
    label_smoothing=0.4,
    ctc_weight=0.0,
)
TINY = PayAttentionConfig(  # for tests: seconds on one core, and without CTC like the paper
    feature_channels=(8, 16, 24, 32),
    feature_layers=(1, 1, 1, 1),
    stem_width=8,
    model=32,
    visual_layers=1,
    text_layers=2,
    feed_forward=48,
    ctc_weight=0.0,
)


class ResNet50Features(nn.Module):
    """timm's ResNet-50, height folded into channels; (B, 1, H, W) -> (B, W / 32, 2048 H / 32)."""

    pixels_per_column = 32

    def __init__(self, height_px: int):
        super().__init__()
        # Imported here as ``stages.features`` must have declared torchvision's ops before.
        from timm.models.resnet import resnet50

        self.net = resnet50(pretrained=False, in_chans=1, num_classes=0)
        self.out_channels = 2048 * -(-height_px // self.pixels_per_column)

    def forward(self, images: Tensor) -> Tensor:
        """Columns of features."""
        features = self.net.forward_features(images)  # (B, 2048, H/32, W/32)
        return features.permute(0, 3, 2, 1).flatten(2)


class PayAttention(Recognizer):
    """Visual side, text transcriber, and CTC between them if the loss counts it."""

    decoder: Transcriber

    def __init__(self, config: PayAttentionConfig, charset: Charset):
        super().__init__(config, charset)
        if config.features not in ("light", "resnet50"):
            raise ValueError("features must be 'light' or 'resnet50'.")
        if not 0 <= config.ctc_weight < 1:
            raise ValueError("ctc_weight must be from 0 to below 1.")
        self.features: ResNetFeatures | ResNet50Features
        if config.features == "light":
            self.pixels_per_column = PIXELS_PER_COLUMN
            self.features = ResNetFeatures(
                config.feature_channels, config.feature_layers, config.stem_width
            )
        else:
            self.pixels_per_column = ResNet50Features.pixels_per_column
            self.features = ResNet50Features(config.height_px)
        self.enter = nn.Linear(self.features.out_channels, config.model)
        self.placed = nn.Linear(config.model, config.model)
        self.dropout = nn.Dropout(config.dropout)
        # Not nn.TransformerEncoder: it copies one layer, so that all start alike.
        self.visual = nn.ModuleList(
            nn.TransformerEncoderLayer(
                config.model,
                config.heads,
                config.feed_forward,
                config.dropout,
                batch_first=True,
                norm_first=config.norm_first,
            )
            for _ in range(config.visual_layers)
        )
        self.norm = nn.LayerNorm(config.model) if config.norm_first else nn.Identity()
        self.has_ctc = config.ctc_weight > 0
        self.ctc = nn.Linear(config.model, charset.size) if self.has_ctc else None
        self.decoder = Transcriber(
            config.model,
            config.heads,
            config.text_layers,
            config.feed_forward,
            charset.size,
            config.dropout,
            config.norm_first,
        )

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """Run the visual side; see ``Recognizer``."""
        columns = self.enter(self.features(images))
        columns = self.placed(columns + sinusoids(0, columns.shape[1], columns))
        columns = self.dropout(columns)
        mask = column_mask(widths, columns.shape[1], self.pixels_per_column)
        for layer in self.visual:
            columns = layer(columns, src_key_padding_mask=~mask)
        columns = self.norm(columns)
        return Encoded(columns, mask, None if self.ctc is None else self.ctc(columns))

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """Teacher-forced characters, beside CTC if it counts; see ``joint_loss``."""
        encoded = self.encode_batch(images, widths)
        logits = self.decoder(encoded.columns, encoded.mask, targets)
        config = self.config
        return joint_loss(
            encoded, logits, targets, lengths, config.ctc_weight, config.label_smoothing
        )


@register(
    "pay_attention",
    config=PayAttentionConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Kang et al. 2020, arXiv 2005.13044",
    paper_parameters=96_158_752,
)
def build(config: PayAttentionConfig, charset: Charset) -> PayAttention:
    """Build the transformer reader."""
    return PayAttention(config, charset)
