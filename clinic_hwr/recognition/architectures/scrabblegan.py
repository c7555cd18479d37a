"""ScrabbleGAN: writes words of any length in any hand; it reads nothing for the product.

After Fogel et al., "ScrabbleGAN: Semi-Supervised Varying Length Handwritten Text Generation"
(CVPR 2020, arXiv 2003.10557). Each character owns a bank of filters. The noise z, the same
for all characters of a word, weighs the filters of a bank and gives a patch of 4 x 4 for each
character; patches stand side by side, and three residual blocks grow them to 32 x 16 pixels a
character. Their receptive fields overlap, so that neighbours join. The discriminator judges
overlapping patches and knows no text, so it learns from unlabelled crops too. The recognizer
has no recurrent layer and so cannot guess a letter from the word. How they are trained, and
how their gradients are balanced, is in ``training/adversarial_players.py``.

Deviations: images are ink maps, 0 = paper and 1 = ink, not -1 and 1 (tanh is mapped);
the discriminator averages its patches' scores, as the paper says, where the released code
sums features; the filter banks are not spectrally normalised (BigGAN's advice for
embeddings); the recognizer has the pools of Baek et al. 2019 and PyTorch's initial weights.
The paper gives no count of parameters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.baek_features import VggFeatures
from clinic_hwr.recognition.stages.biggan import (
    INITIAL_STD,
    DownBlock,
    SpectralConv2d,
    SpectralLinear,
    UpBlock,
)

from .contract import Encoded, Recognizer, column_mask, ctc_loss
from .registry import register

HEIGHT_PX = 32
CHARACTER_PX = 16
PATCH_PX = 4  # side of a character's patch before it grows
UPSAMPLE = ((2, 2), (2, 2), (2, 1))  # 4 x 4 -> 32 x 16
LAST_KERNELS = (3, 3, 1)
NORMALISED = (2, 4, 6)  # the recognizer's convolutions with batch norm, as in the released code
MINIMUM_SEEN = 12  # of 4,096 words; X, Q and Z, 13 to 17 times there, are the rarest letters


@dataclass(frozen=True)
class ScrabbleGanConfig:
    """Settings of the three players.

    Attributes:
        noise_part: numbers in each of the four parts of z: one for the filters and one for
            the batch norms of each block.
        generator: channels of the patch, then of each block.
        discriminator: channels of each block; the first three halve the image.
        recognizer: channels of its four stages.
    """

    noise_part: int = 8
    generator: tuple[int, int, int, int] = (64, 48, 32, 16)
    discriminator: tuple[int, int, int, int] = (16, 32, 64, 96)
    recognizer: tuple[int, int, int, int] = (24, 48, 64, 128)
    height_px: int = HEIGHT_PX
    max_width_px: int = 640


SMALL = ScrabbleGanConfig()
PAPER = replace(
    SMALL,
    noise_part=32,
    generator=(512, 256, 128, 64),
    discriminator=(64, 512, 1024, 1024),
    recognizer=(64, 128, 256, 512),
)
TINY = replace(
    SMALL,
    noise_part=4,
    generator=(8, 8, 8, 8),
    discriminator=(4, 8, 8, 8),
    recognizer=(4, 8, 8, 16),
)


class Generator(nn.Module):
    """Text and noise to ink."""

    def __init__(self, config: ScrabbleGanConfig, characters: int):
        super().__init__()
        part, channels = config.noise_part, config.generator
        self.noise_part = part
        # (characters, noise, channels * 4 * 4): one bank of filters per character.
        self.filters = nn.Parameter(
            torch.randn(characters, part, channels[0] * PATCH_PX * PATCH_PX) * INITIAL_STD
        )
        self.blocks = nn.ModuleList(
            UpBlock(channels[i], channels[i + 1], part, UPSAMPLE[i], LAST_KERNELS[i])
            for i in range(3)
        )
        self.norm = nn.BatchNorm2d(channels[3])
        self.out = SpectralConv2d(channels[3], 1, 3)

    @property
    def noise_size(self) -> int:
        """Numbers in z."""
        return self.noise_part * (1 + len(self.blocks))

    def patches(self, classes: Tensor, z: Tensor) -> Tensor:
        """Return each character's patch, (batch, n, channels, 4, 4).

        Args:
            classes: (batch, n) of the charset, 1 = its first character.
            z: (batch, noise_size).
        """
        found = torch.einsum("bk,bnkf->bnf", z[:, : self.noise_part], self.filters[classes - 1])
        return found.unflatten(2, (-1, PATCH_PX, PATCH_PX))

    def forward(self, classes: Tensor, z: Tensor) -> Tensor:
        """Write words of one length; (batch, n), (batch, noise_size) -> (batch, 1, 32, 16 n)."""
        grown = self.patches(classes, z).permute(0, 2, 3, 1, 4).flatten(3)  # (B, C, 4, 4 n)
        for block, part in zip(self.blocks, z.split(self.noise_part, 1)[1:], strict=True):
            grown = block(grown, part)
        return (torch.tanh(self.out(F.relu(self.norm(grown))).float()) + 1) / 2


class Discriminator(nn.Module):
    """Ink to a score, higher = more like a real crop; any width, no text."""

    def __init__(self, config: ScrabbleGanConfig):
        super().__init__()
        channels = (1, *config.discriminator)
        self.blocks = nn.Sequential(
            *(
                DownBlock(channels[i], channels[i + 1], preactivation=i > 0, downsample=i < 3)
                for i in range(4)
            )
        )
        self.score = SpectralLinear(channels[-1], 1)

    def patch_scores(self, images: Tensor) -> Tensor:
        """(batch, 1, 32, width) -> a score for each patch, (batch, 4, width / 8)."""
        features = F.relu(self.blocks(images)).permute(0, 2, 3, 1)  # (B, 4, W / 8, C)
        return self.score(features).squeeze(-1).float()

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 1, 32, width) -> the mean score of each crop, (batch,)."""
        return self.patch_scores(images).mean((1, 2))


class ReadingCnn(Recognizer):
    """The recognizer in the loop: convolutions and CTC, nothing recurrent."""

    def __init__(self, config: ScrabbleGanConfig, charset: Charset):
        super().__init__(config, charset)
        self.features = VggFeatures(config.recognizer, NORMALISED)
        self.ctc = nn.Linear(config.recognizer[-1], charset.size)

    def encode_batch(self, images: Tensor, widths: Tensor) -> Encoded:
        """Encode ink maps into width / 4 columns; see ``Recognizer``."""
        columns = self.features(images)
        return Encoded(columns, column_mask(widths, columns.shape[1]), self.ctc(columns))

    def loss(
        self, images: Tensor, widths: Tensor, targets: Tensor, lengths: Tensor
    ) -> dict[str, Tensor]:
        """CTC loss a character, mean over the batch; see ``Recognizer.loss``."""
        encoded = self.encode_batch(images, widths)
        assert encoded.ctc_logits is not None  # noqa: S101  set two lines above
        return {"loss": ctc_loss(encoded.ctc_logits, encoded.mask, targets, lengths)}


class ScrabbleGan(nn.Module):
    """The three players in one module, so that one file holds them.

    Attributes:
        seen: (characters,) how often each character was in the labelled crops that were
            counted before training; what was never seen cannot be written.
    """

    seen: Tensor

    def __init__(self, config: ScrabbleGanConfig, charset: Charset):
        super().__init__()
        self.config = config
        self.charset = charset
        self.generator = Generator(config, charset.size - 1)
        self.discriminator = Discriminator(config)
        self.recognizer = ReadingCnn(config, charset)
        self.register_buffer("seen", torch.zeros(charset.size - 1, dtype=torch.long))

    def can_write(self, text: str) -> bool:
        """Whether every character of ``text`` was seen often enough in training."""
        if not text or not self.charset.covers(text):
            return False
        return all(int(self.seen[c - 1]) >= MINIMUM_SEEN for c in self.charset.encode(text))

    def draw_styles(self, count: int, rng: np.random.Generator) -> Tensor:
        """Draw noise, (count, noise_size); one row is one hand."""
        z = rng.standard_normal((count, self.generator.noise_size), np.float32)
        return torch.from_numpy(z).to(self.seen.device)

    @torch.inference_mode()
    def write(
        self, texts: Sequence[str], style: Tensor | np.random.Generator
    ) -> list[NDArray[np.uint8]]:
        """Write words; a word comes out the same whatever is written beside it.

        Args:
            texts: one or more characters of the charset each; ``ValueError`` otherwise.
            style: noise, (len(texts), noise_size), or a generator to draw it from.

        Returns:
            ink, uint8 (32, 16 len(text)) each, 255 = full ink.
        """
        if not all(texts):
            raise ValueError("An empty text cannot be written.")
        z = style if isinstance(style, Tensor) else self.draw_styles(len(texts), style)
        by_length: dict[int, list[int]] = defaultdict(list)
        for row, text in enumerate(texts):
            by_length[len(text)].append(row)
        was_training = self.generator.training
        self.generator.eval()
        inks = [np.zeros((0, 0), np.uint8)] * len(texts)
        for rows in by_length.values():
            classes = torch.tensor([self.charset.encode(texts[row]) for row in rows])
            found = self.generator(classes.to(z.device), z[rows]).squeeze(1).cpu().numpy()
            for row, ink in zip(rows, found, strict=True):
                inks[row] = np.round(ink * 255).astype(np.uint8)
        self.generator.train(was_training)
        return inks


@register(
    "scrabblegan",
    config=ScrabbleGanConfig,
    presets={"small": SMALL, "paper": PAPER, "tiny": TINY},
    paper="Fogel et al. 2020, CVPR 2020, arXiv 2003.10557",
    paper_parameters=70_389_154,
    reads="nothing",
)
def build(config: ScrabbleGanConfig, charset: Charset) -> ScrabbleGan:
    """Build generator, discriminator and recognizer."""
    return ScrabbleGan(config, charset)
