"""Multidimensional LSTM with CTC (Graves & Schmidhuber, NIPS 2008; Graves 2012, chapter 9).

Pixels in blocks, three levels of four scans each, tanh layers over blocks between them, the
last map summed over its height, then CTC. ``paper`` has the sizes of the Arabic network: 2, 10
and 50 cells a direction, 6 and 20 tanh units, blocks 4 high and 3, 3 and 2 wide. With its 120
labels it has the published number of weights exactly (159,369 as remembered, not looked up
again): that is how peepholes are counted (the input gate has one a cell for both neighbours)
and why the tanh layers have no bias. It subsamples widths by 18, so it wants tall images: the
height is 128 here, where a column is as wide as 4.5 px of a crop 32 px high.

Deviations: crops are scaled to one height, as ink maps in 0..1 instead of standardised grey;
Glorot's start instead of a fixed deviation of 0.1; AdamW or Muon instead of steepest descent
with momentum 0.9; no label-error early stopping. ``small`` besides: blocks that keep a column
for every 4 px, 16, 32 and 64 cells with wider tanh layers, no peepholes, dropout on what the
tanh layers and the CTC layer read (Pham et al. 2014, arXiv 1312.4569).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.mdlstm import MdLstmLevels

from .contract import Encoded, Recognizer, ctc_loss
from .registry import register


@dataclass(frozen=True)
class MdlstmConfig:
    """Settings of the levels and of the input.

    Attributes:
        block_rows, block_columns: of the input block, then of those between the levels.
        hidden: cells of each of the four directions, a number for each level.
        features: tanh units between the levels.
        peepholes: whether gates see the cell states.
    """

    height_px: int = 32
    max_width_px: int = 640
    block_rows: tuple[int, ...] = (4, 2, 2)
    block_columns: tuple[int, ...] = (2, 2, 1)
    hidden: tuple[int, ...] = (16, 32, 64)
    features: tuple[int, ...] = (32, 64)
    peepholes: bool = False
    dropout: float = 0.1


SMALL = MdlstmConfig()
PAPER = replace(
    SMALL,
    height_px=128,
    max_width_px=2560,
    block_rows=(4, 4, 4),
    block_columns=(3, 3, 2),
    hidden=(2, 10, 50),
    features=(6, 20),
    peepholes=True,
    dropout=0.0,
)
TINY = replace(
    SMALL,
    block_rows=(8, 2),
    block_columns=(4, 1),
    hidden=(8, 16),
    features=(16,),
    peepholes=True,
    dropout=0.0,
)


class MdlstmCtc(Recognizer):
    """Levels of scans, collapsed to columns, and CTC."""

    def __init__(self, config: MdlstmConfig, charset: Charset):
        super().__init__(config, charset)
        self.levels = MdLstmLevels(
            config.block_rows,
            config.block_columns,
            config.hidden,
            config.features,
            config.peepholes,
            config.dropout,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.ctc = nn.Linear(self.levels.out_features, charset.size)

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """Encode ink maps; see ``Recognizer``."""
        columns, mask = self._columns(images, widths)
        return Encoded(columns, mask, self.ctc(columns))

    def _columns(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        cells, mask = self.levels(images, widths)
        return self.dropout(cells.sum(1).transpose(0, 1)), mask

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """CTC loss a character, mean over the batch; see ``Recognizer.loss``."""
        columns, mask = self._columns(images, widths)
        loss = ctc_loss(self.ctc(columns), mask, targets, lengths)
        return {"loss": loss, "ctc": loss.detach()}


@register(
    "mdlstm_ctc",
    config=MdlstmConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Graves & Schmidhuber 2008, Offline handwriting recognition with MDRNNs",
    paper_parameters=154_344,
)
def build(config: MdlstmConfig, charset: Charset) -> MdlstmCtc:
    """Build the multidimensional LSTM reader."""
    return MdlstmCtc(config, charset)
