"""Convolve, Attend and Spell: VGG, bidirectional GRU, location attention, GRU (Kang et al. 2018).

GCPR 2018; details from the authors' program, omni-us/research-seq2seq-HTR. VGG-19 with batch
normalisation and without its last pool, height folded into channels, two layers of
bidirectional GRU whose directions are summed, then ``stages.spelling``. Trained with label
smoothing 0.4, Kullback-Leibler loss and its own predictions as previous characters.

Deviations of every preset: one channel of ink instead of RGB and no ImageNet weights; the
speller starts from the first column, where the backward direction ends, instead of from each
encoder layer's last backward state; class 0 is start and end; the end symbol is part of the
score; pools round up, so that every pixel counts.

Deviations of ``small``: joint loss with CTC on the columns and true previous characters
(attention alone, fed with its own errors, learns far too slowly on two cores); a narrower VGG
of 9 convolutions whose columns are 4 instead of 16 pixels wide; softmax instead of smoothed
attention; label smoothing 0.02, as 0.4 ruins confidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.spelling import Feed, Speller

from .contract import LABEL_SMOOTHING, Encoded, Recognizer, column_mask
from .joint_loss import joint_loss
from .registry import register


@dataclass(frozen=True)
class ConvolveAttendSpellConfig:
    """Settings of the three parts and of the input.

    Attributes:
        channels, convolutions: of each block of the VGG, as many as blocks.
        pool_widths: horizontal stride of the pool behind each block but the last; the
            vertical one is 2.
        hidden: of both directions of the encoder, and of the speller.
        filters, window: K and R of location attention.
        smoothed_attention: see ``LocationAttention``.
        dropout: between the layers of both GRUs.
        feed: previous character in training: teacher | own | multinomial.
        ctc_weight: share of the CTC loss, below 1; at 0 there is no CTC layer.
    """

    height_px: int = 32
    max_width_px: int = 640
    channels: tuple[int, ...] = (16, 32, 64, 96, 128)
    convolutions: tuple[int, ...] = (1, 2, 2, 2, 2)
    pool_widths: tuple[int, ...] = (2, 2, 1, 1)
    hidden: int = 160
    gru_layers: int = 2
    embedding: int = 32
    filters: int = 16
    window: int = 7
    smoothed_attention: bool = False
    dropout: float = 0.1
    feed: Feed = "teacher"
    label_smoothing: float = LABEL_SMOOTHING
    ctc_weight: float = 0.5


SMALL = ConvolveAttendSpellConfig()
PAPER = ConvolveAttendSpellConfig(
    height_px=64,
    max_width_px=1280,
    channels=(64, 128, 256, 512, 512),
    convolutions=(2, 2, 4, 4, 4),
    pool_widths=(2, 2, 2, 2),
    hidden=512,
    embedding=60,
    filters=128,
    smoothed_attention=True,
    dropout=0.5,
    feed="multinomial",
    label_smoothing=0.4,
    ctc_weight=0.0,
)
TINY = ConvolveAttendSpellConfig(  # for tests: seconds on one core, and without CTC like the paper
    channels=(4, 8, 12, 16, 16),
    convolutions=(1, 1, 1, 1, 1),
    hidden=32,
    embedding=8,
    filters=4,
    ctc_weight=0.0,
)


class FoldedVggFeatures(nn.Module):
    """Blocks of 3x3 convolutions, a pool between two blocks, height folded into channels."""

    def __init__(
        self,
        height_px: int,
        channels: tuple[int, ...],
        convolutions: tuple[int, ...],
        pool_widths: tuple[int, ...],
    ):
        super().__init__()
        layers: list[nn.Module] = []
        previous = 1
        for block, (width, count) in enumerate(zip(channels, convolutions, strict=True)):
            for _ in range(count):
                layers += [
                    nn.Conv2d(previous, width, 3, padding=1),
                    nn.BatchNorm2d(width),
                    nn.ReLU(inplace=True),
                ]
                previous = width
            if block < len(channels) - 1:
                layers.append(nn.MaxPool2d((2, pool_widths[block]), ceil_mode=True))
        self.net = nn.Sequential(*layers)
        self.pixels_per_column = math.prod(pool_widths)
        self.out_features = previous * -(-height_px // 2 ** len(pool_widths))

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 1, height, width) -> (batch, T, height / 16 * channels)."""
        return self.net(images).permute(0, 3, 2, 1).flatten(2)


class SummedBiGru(nn.Module):
    """Stacked bidirectional GRU; (batch, T, in) -> (batch, T, hidden), directions summed."""

    def __init__(self, in_features: int, hidden: int, layers: int, dropout: float):
        super().__init__()
        self.gru = nn.GRU(
            in_features,
            hidden,
            layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if layers > 1 else 0.0,
        )

    def forward(self, columns: Tensor, mask: Tensor) -> Tensor:
        """Return the sum of the hidden states of both directions, 0 where the mask is False.

        Args:
            columns: (batch, T, in); mask: (batch, T), True up to each true width, where the
                backward direction begins.
        """
        if bool(mask.all()):  # packing costs a fifth of the time and changes nothing
            states, _ = self.gru(columns)
        else:
            packed = pack_padded_sequence(
                columns, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
            )
            states, _ = pad_packed_sequence(
                self.gru(packed)[0], batch_first=True, total_length=columns.shape[1]
            )
        forwards, backwards = states.chunk(2, dim=2)
        return forwards + backwards


class ConvolveAttendSpell(Recognizer):
    """The three parts as one module, and CTC on the columns if the loss counts it."""

    decoder: Speller

    def __init__(self, config: ConvolveAttendSpellConfig, charset: Charset):
        super().__init__(config, charset)
        if config.feed not in get_args(Feed):
            raise ValueError(f"feed must be one of: {', '.join(get_args(Feed))}.")
        if not 0 <= config.ctc_weight < 1:
            raise ValueError("ctc_weight must be from 0 to below 1.")
        self.features = FoldedVggFeatures(
            config.height_px, config.channels, config.convolutions, config.pool_widths
        )
        self.sequence = SummedBiGru(
            self.features.out_features, config.hidden, config.gru_layers, config.dropout
        )
        self.has_ctc = config.ctc_weight > 0
        self.ctc = nn.Linear(config.hidden, charset.size) if self.has_ctc else None
        self.decoder = Speller(
            config.hidden,
            charset.size,
            config.embedding,
            config.filters,
            config.window,
            config.smoothed_attention,
            config.dropout,
        )

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """Convolve and run the GRU; see ``Recognizer``."""
        features = self.features(images)
        mask = column_mask(widths, features.shape[1], self.features.pixels_per_column)
        columns = self.sequence(features, mask)
        return Encoded(columns, mask, None if self.ctc is None else self.ctc(columns))

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """Spelled characters, fed as configured, beside CTC if it counts; see ``joint_loss``."""
        config = self.config
        encoded = self.encode_batch(images, widths)
        logits = self.decoder(encoded.columns, encoded.mask, targets, config.feed)
        return joint_loss(
            encoded, logits, targets, lengths, config.ctc_weight, config.label_smoothing
        )


@register(
    "convolve_attend_spell",
    config=ConvolveAttendSpellConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Kang et al. 2018, Convolve, Attend and Spell (GCPR)",
    paper_parameters=36_520_353,
    reads="word",
)
def build(config: ConvolveAttendSpellConfig, charset: Charset) -> ConvolveAttendSpell:
    """Build the convolving, attending speller."""
    return ConvolveAttendSpell(config, charset)
