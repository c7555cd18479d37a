"""The four stages of Baek et al. 2019 (arXiv 1904.01906), in all their 24 combinations.

Transformation {none, tps} x features {vgg, rcnn, resnet} x sequence {none, bilstm} x prediction
{ctc, attn}: tps-resnet-bilstm-attn is TRBA, none-vgg-bilstm-ctc CRNN, none-rcnn-bilstm-ctc GRCNN,
tps-vgg-bilstm-attn RARE. By default both predictions are trained on one encoder (Kim et al. 2017,
joint CTC-attention): a second opinion on each crop.

Deviations of every preset: crops keep their aspect ratio and vary in width instead of being
squeezed to 32x100, and are ink maps in 0..1 (0 = paper) instead of grey in -1..1; the start and
the end symbol are one class, which is part of the score; label smoothing of the decoder's loss.

Deviations of ``small``, not of ``paper``: the features are a timm ResNet, its height max-pooled
(``paper`` has the residual network of FAN, option ``fan``); the rectifier starts at the identity
and sees half the resolution with a narrower network that keeps a coarse order from left to right;
LSTM layers without projections; characters are embedded instead of one-hot, and the decoder's
output sees the columns too; dropout; joint prediction. Each is an option of the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from torch import Tensor, nn

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.baek_features import (
    MIN_HEIGHT_PX,
    FanFeatures,
    RcnnFeatures,
    VggFeatures,
)
from clinic_hwr.recognition.stages.features import ResNetFeatures
from clinic_hwr.recognition.stages.one_hot_attention import OneHotAttentionDecoder
from clinic_hwr.recognition.stages.prediction import AttentionDecoder
from clinic_hwr.recognition.stages.sequence import BiLstm, ProjectedBiLstm
from clinic_hwr.recognition.stages.transformation import Start, TpsRectifier

from .contract import (
    Encoded,
    ExportedEncoder,
    Recognizer,
    column_mask,
    ctc_loss,
    decoder_loss,
)
from .registry import register

Transformation = Literal["none", "tps"]
Features = Literal["vgg", "rcnn", "resnet", "fan"]
SequenceModel = Literal["none", "bilstm"]
Prediction = Literal["joint", "ctc", "attn"]
Previous = Literal["embedded", "one_hot"]


@dataclass(frozen=True)
class TrbaConfig:
    """Settings of the four stages and of the input.

    Attributes:
        feature_channels: of the four stages of any extractor; (64, 128, 256, 512) are those of
            the published ``vgg`` and ``rcnn``, (128, 256, 512, 512) of ``fan``.
        feature_layers, stem_width: of ``resnet`` and ``fan``.
        ctc_weight: share of the CTC loss in the joint loss; at 0 and 1 the other layer is built
            and not trained.
        prediction: ``ctc`` builds no decoder, ``attn`` no CTC layer.
        features: ``resnet`` is timm's, ``fan`` the residual network of the paper.
        fiducial_start, localisation_channels, localisation_hidden, localisation_positions,
            localisation_scale: of the rectifier; see ``TpsRectifier``.
        lstm_projections: one size for each LSTM layer, which replace ``lstm_layers``; see
            ``ProjectedBiLstm``. Empty = layers without projections.
        previous: how the decoder sees the character before; ``one_hot`` is the paper's decoder.
    """

    height_px: int = 40
    max_width_px: int = 800
    transformation: Transformation = "tps"
    fiducial_points: int = 20
    feature_channels: tuple[int, int, int, int] = (24, 48, 128, 256)
    feature_layers: tuple[int, int, int, int] = (1, 1, 2, 2)
    stem_width: int = 12
    sequence: SequenceModel = "bilstm"
    lstm_hidden: int = 256
    lstm_layers: int = 2
    dropout: float = 0.1
    decoder_hidden: int = 160
    ctc_weight: float = 0.5
    features: Features = "resnet"
    prediction: Prediction = "joint"
    fiducial_start: Start = "identity"
    localisation_channels: tuple[int, ...] = (16, 32, 64, 64)
    localisation_hidden: int = 128
    localisation_positions: int = 0
    localisation_scale: float = 0.5
    lstm_projections: tuple[int, ...] = ()
    previous: Previous = "embedded"

    def __post_init__(self) -> None:
        for name, options in (
            ("transformation", Transformation),
            ("features", Features),
            ("sequence", SequenceModel),
            ("prediction", Prediction),
            ("previous", Previous),
        ):
            if getattr(self, name) not in get_args(options):
                raise ValueError(f"{name} must be one of {', '.join(get_args(options))}.")
        if self.features != "resnet" and self.height_px < MIN_HEIGHT_PX:
            raise ValueError(f"{self.features} needs crops {MIN_HEIGHT_PX} px high or higher.")


SMALL = TrbaConfig()
PAPER = replace(
    SMALL,
    height_px=32,
    max_width_px=640,
    fiducial_start="rare",
    localisation_channels=(64, 128, 256, 512),
    localisation_hidden=256,
    localisation_positions=1,
    localisation_scale=1.0,
    features="fan",
    feature_channels=(128, 256, 512, 512),
    feature_layers=(1, 2, 5, 3),
    stem_width=32,
    lstm_hidden=256,
    lstm_projections=(256, 256),
    dropout=0.0,
    prediction="attn",
    decoder_hidden=256,
    previous="one_hot",
)
TINY = replace(  # for tests: seconds on one core
    SMALL,
    height_px=32,
    max_width_px=640,
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

    ctc: nn.Linear | None

    def __init__(self, config: TrbaConfig, charset: Charset):
        super().__init__(config, charset)
        self.transformation = _transformation(config)
        self.features = _features(config)
        width = self.features.out_channels
        self.sequence: nn.Module = nn.Identity()
        if config.sequence == "bilstm":
            self.sequence = _bilstm(width, config)
            width = self.sequence.out_features
        self.dropout = nn.Dropout(config.dropout)
        self.has_ctc = config.prediction != "attn"
        self.ctc = nn.Linear(width, charset.size) if self.has_ctc else None
        if config.prediction != "ctc":
            decoder = OneHotAttentionDecoder if config.previous == "one_hot" else AttentionDecoder
            self.decoder = decoder(width, config.decoder_hidden, charset.size)

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """Run the first three stages and the CTC layer; see ``Recognizer``."""
        columns, mask = self._columns(images, widths)
        return Encoded(columns, mask, None if self.ctc is None else self.ctc(columns))

    def rectify(self, images: Tensor) -> Tensor:
        """The first stage, which ONNX Runtime leaves to torch."""
        rectified: Tensor = self.transformation(images)
        return rectified

    def exported_encoder(self) -> nn.Module:
        """The second and third stage; see ``Recognizer``."""
        return ExportedEncoder(self, self._columns_of_rectified, self.ctc)

    def _columns_of_rectified(self, images: Tensor) -> Tensor:
        columns: Tensor = self.dropout(self.sequence(self.features(images)))
        return columns

    def _columns(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        columns = self._columns_of_rectified(self.rectify(images))
        return columns, column_mask(widths, columns.shape[1])

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """Loss of the prediction, joint by default; see ``Recognizer.loss``.

        Returns:
            ``loss`` and its parts ``ctc`` and ``attention``, each a mean a sample; a part of
            weight 0 is not computed.
        """
        columns, mask = self._columns(images, widths)
        weight = {"ctc": 1.0, "attn": 0.0}.get(self.config.prediction, self.config.ctc_weight)
        parts: dict[str, Tensor] = {}
        total = columns.new_zeros(())
        if self.ctc is not None and weight > 0:
            parts["ctc"] = ctc_loss(self.ctc(columns), mask, targets, lengths)
            total = total + weight * parts["ctc"]
        if self.decoder is not None and weight < 1:
            logits = self.decoder(columns, mask, targets)
            parts["attention"] = decoder_loss(logits, targets, lengths)
            total = total + (1 - weight) * parts["attention"]
        return {"loss": total} | {name: part.detach() for name, part in parts.items()}


def _transformation(config: TrbaConfig) -> nn.Module:
    """The first stage."""
    if config.transformation == "none":
        return nn.Identity()
    return TpsRectifier(
        config.fiducial_points,
        config.localisation_channels,
        config.localisation_hidden,
        config.localisation_positions,
        config.localisation_scale,
        config.fiducial_start,
    )


def _features(config: TrbaConfig) -> VggFeatures | RcnnFeatures | FanFeatures | ResNetFeatures:
    """The second stage."""
    if config.features == "vgg":
        return VggFeatures(config.feature_channels)
    if config.features == "rcnn":
        return RcnnFeatures(config.feature_channels)
    kind = FanFeatures if config.features == "fan" else ResNetFeatures
    return kind(config.feature_channels, config.feature_layers, config.stem_width)


def _bilstm(width: int, config: TrbaConfig) -> BiLstm | ProjectedBiLstm:
    """The third stage."""
    if config.lstm_projections:
        return ProjectedBiLstm(width, config.lstm_hidden, config.lstm_projections)
    return BiLstm(width, config.lstm_hidden, config.lstm_layers, config.dropout)


@register(
    "trba",
    config=TrbaConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Baek et al. 2019, arXiv 1904.01906",
    paper_parameters=49_629_480,
)
def build(config: TrbaConfig, charset: Charset) -> Trba:
    """Build one of the 24 combinations, or one with both predictions."""
    return Trba(config, charset)
