"""Scan, Attend and Read (Bluche, Louradour & Messina 2016, arXiv 1604.03286).

Reads a block of text without finding its lines: an MDLSTM encoder whose map is not collapsed,
attention over all cells of the map computed by another MDLSTM (``stages.map_attention``), a
state LSTM, and a character softmax with an end symbol. As in the paper the encoder can learn from
single lines with CTC before, alone (an ``mdlstm_ctc`` of the same levels; ``train --init``); here
also at the same time (``ctc_weight``).
Lines are joined by a space, as the packaged character set has no line break.

Deviations: a crop is a canvas of one height with the text in its upper left corner
(``images.prepare_block``); sizes of ``paper`` are those of the same authors' line readers (4,
20 and 100 cells, blocks 2 x 2, 2 x 4 and 2 x 4) as remembered, the attention's and the state's
sizes are ours; the output layer also reads the context; cross entropy is smoothed as in every
family here; Glorot's start. ``small`` besides: the levels of the small ``mdlstm_ctc``, no
peepholes, dropout, a canvas of three lines, and the state LSTM also reads the character written
last, so that strings of a beam differ in more than their scores.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.map_attention import MapAttentionDecoder
from clinic_hwr.recognition.stages.mdlstm import MdLstmLevels

from .contract import Encoded, Recognizer, ctc_loss, decoder_loss
from .registry import register


@dataclass(frozen=True)
class ScanAttendReadConfig:
    """Settings of the encoder, the attention and the input.

    Attributes:
        height_px: of the canvas; ``line_px`` of it are one line of text.
        block_rows, block_columns, hidden, features, peepholes: see ``mdlstm_ctc``.
        scan_hidden: cells of the attention's scans, each direction.
        decoder_hidden: of the state LSTM.
        embedding: of the character written last; 0 = not read, as in the paper.
        ctc_weight: of the loss of crops with one line in a CTC layer on the encoder; 0 = none.
    """

    height_px: int = 96
    line_px: int = 32
    max_width_px: int = 640
    block_rows: tuple[int, ...] = (4, 2, 2)
    block_columns: tuple[int, ...] = (2, 2, 1)
    hidden: tuple[int, ...] = (16, 32, 64)
    features: tuple[int, ...] = (32, 64)
    peepholes: bool = False
    dropout: float = 0.05
    scan_hidden: int = 8
    decoder_hidden: int = 192
    embedding: int = 32
    ctc_weight: float = 1.0


SMALL = ScanAttendReadConfig()
PAPER = replace(
    SMALL,
    height_px=640,
    line_px=64,
    max_width_px=1280,
    block_rows=(2, 4, 4),
    block_columns=(2, 2, 2),
    hidden=(4, 20, 100),
    features=(12, 32),
    peepholes=True,
    dropout=0.0,
    scan_hidden=20,
    decoder_hidden=256,
    embedding=0,
    ctc_weight=0.5,
)
TINY = replace(
    SMALL,
    height_px=32,
    block_rows=(16,),
    block_columns=(8,),
    hidden=(12,),
    features=(),
    peepholes=True,
    dropout=0.0,
    scan_hidden=4,
    decoder_hidden=32,
    embedding=8,
    ctc_weight=0.5,
)


class ScanAttendRead(Recognizer):
    """Levels of scans, and a decoder that scans their map for every character."""

    decoder: MapAttentionDecoder
    has_ctc = False

    def __init__(self, config: ScanAttendReadConfig, charset: Charset):
        super().__init__(config, charset)
        self.levels = MdLstmLevels(
            config.block_rows,
            config.block_columns,
            config.hidden,
            config.features,
            config.peepholes,
            config.dropout,
        )
        width = self.levels.out_features
        self.dropout = nn.Dropout(config.dropout)
        self.ctc = nn.Linear(width, charset.size) if config.ctc_weight > 0 else None
        self.decoder = MapAttentionDecoder(
            width,
            -(-config.height_px // self.levels.pixel_rows),
            config.scan_hidden,
            config.decoder_hidden,
            charset.size,
            config.embedding,
            config.peepholes,
        )

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """Encode ink maps; the map's columns, top to bottom, one after the other."""
        cells, mask = self._map(images, widths)
        return Encoded(*_flat(cells, mask), None)

    def _map(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Map (columns, rows, batch, features) and mask (batch, columns)."""
        cells, mask = self.levels(images, widths)
        return self.dropout(cells), mask

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """Cross entropy a character, and CTC on the crops with one line; see ``Recognizer``."""
        cells, mask = self._map(images, widths)
        logits = self.decoder(*_flat(cells, mask), targets)
        parts = {"attention": decoder_loss(logits, targets, lengths)}
        total = parts["attention"]
        single = one_line(images, self.config.line_px)
        if self.ctc is not None and bool(single.any()):
            columns = cells[:, :, single].sum(1).transpose(0, 1)
            parts["ctc"] = ctc_loss(
                self.ctc(columns), mask[single], targets[single], lengths[single]
            )
            total = total + self.config.ctc_weight * single.float().mean() * parts["ctc"]
        return {"loss": total} | {name: part.detach() for name, part in parts.items()}


def one_line(images: Tensor, line_px: int) -> Tensor:
    """Which crops hold a single line: (batch,) bool, no ink below the first ``line_px`` rows."""
    return ~(images[:, 0, line_px:] > 0).flatten(1).any(1)


def _flat(cells: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Map and mask as columns (batch, columns * rows, features) and (batch, columns * rows)."""
    return cells.permute(2, 0, 1, 3).flatten(1, 2), mask.repeat_interleave(cells.shape[1], dim=1)


@register(
    "scan_attend_read",
    config=ScanAttendReadConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Bluche et al. 2016, arXiv 1604.03286",
    paper_parameters=1_567_200,
    reads="paragraph",
)
def build(config: ScanAttendReadConfig, charset: Charset) -> ScanAttendRead:
    """Build Scan, Attend and Read."""
    return ScanAttendRead(config, charset)
