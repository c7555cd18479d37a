"""The players of ScrabbleGAN while they train: losses, gradient balance, one step of each.

In every step the discriminator compares real with written words (hinge losses) and the
recognizer learns to read real words only. In every ``num_critic``-th the generator learns
from both: see ``balanced_gradient``. Fogel et al. 2020 (arXiv 2003.10557).

Deviations: real and written words of a step have the same length; the recognizer judges
written words with its batch norms as they stand after real ones, so that nothing of it is
ever learnt from what the generator wrote; ``recognizer_head_start`` lets it learn first.
"""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from clinic_hwr.recognition.architectures import architecture
from clinic_hwr.recognition.architectures.scrabblegan import ScrabbleGan, ScrabbleGanConfig
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.synthesis.contact_sheet import contact_sheet

from .adversarial_data import RealBatch, WordPool
from .checkpoints import load_weights
from .datasets import Batch
from .loop import WeightAverage, greedy_cer

ARCH = "scrabblegan"
SHEET_WORDS = (
    "Metformin", "amoxicillin", "Losartan", "daily", "tablet", "Warfarin", "ASPIRIN", "night",
)  # fmt: skip
SHEET_STYLES = 3


@dataclass(frozen=True)
class GanConfig:
    """Settings of one run.

    Attributes:
        steps: of the discriminator and the recognizer.
        batch: real, and as many written, words of a step.
        num_critic: the generator learns in every so-manieth step (4 in the released code).
        learning_rate: Adam's, of generator and discriminator; betas are 0 and 0.999.
        recognizer_rate: Adam's, of the recognizer.
        recognizer_head_start: steps in which only the recognizer learns; 0 in the paper.
        alpha: how strong the recognizer is beside the discriminator.
        ema: decay of the generator's averaged weights, per step of the generator.
        longest: most characters of a word.
        scanned_share: share of scanned words; the rest are rendered pen strokes.
        unlabelled_dir: folder of crops without labels, or "".
        unlabelled_share: how many of the crops the discriminator sees as real are unlabelled.
        bf16: autocast to bfloat16.
        seed: of everything that is drawn, and of the initial weights.
        counted_samples: real words that are drawn first, to learn which characters occur.
        chunk_samples: real words that are drawn at once and sorted by length.
        draw_workers: processes that draw them; 0 = this one.
        checkpoint_seconds: pause between checkpoints.
        curve_steps, sheet_steps: steps between two rows of the curve, two contact sheets.
    """

    steps: int = 100_000
    batch: int = 16
    num_critic: int = 4
    learning_rate: float = 2e-4
    recognizer_rate: float = 2e-4
    recognizer_head_start: int = 0
    alpha: float = 1.0
    ema: float = 0.999
    longest: int = 12
    scanned_share: float = 0.25
    unlabelled_dir: str = ""
    unlabelled_share: float = 0.0
    bf16: bool = False
    seed: int = 1
    counted_samples: int = 4096
    chunk_samples: int = 2048
    draw_workers: int = 0
    checkpoint_seconds: float = 180.0
    curve_steps: int = 50
    sheet_steps: int = 500


def hinge_discriminator(real: Tensor, written: Tensor) -> Tensor:
    """Hinge loss of the discriminator: real crops above 1, written ones below -1."""
    return (1 - real).clamp_min(0).mean() + (1 + written).clamp_min(0).mean()


def hinge_generator(written: Tensor) -> Tensor:
    """Loss of the generator: minus the mean score of what it wrote."""
    return -written.mean()


def balance_factor(judged: Tensor, read: Tensor, alpha: float) -> Tensor:
    """Return alpha * std(judged) / std(read); 0 where the recognizer has no opinion."""
    spread = read.std()
    return torch.where(spread > 0, alpha * judged.std() / spread, torch.zeros_like(spread))


def balanced_gradient(judged: Tensor, read: Tensor, alpha: float) -> Tensor:
    """Add the recognizer's gradient to the discriminator's, at the same scale.

    Both are gradients on the written ink. The recognizer's is multiplied by one number so
    that its standard deviation is alpha times the discriminator's. Its mean is only
    scaled along: moving it, too, could turn the sign of single pixels.

    The released code scales the recognizer's *loss* after it has already gone backward with
    the unscaled sum, and adds an epsilon of 1e-49, which is zero in float32. Here there is
    one backward pass, which starts from this very sum.

    Args:
        judged: gradient of the discriminator's loss on the ink.
        read: gradient of the recognizer's loss on the ink, same shape.
        alpha: weight of the recognizer; 1 in the paper.
    """
    return judged + balance_factor(judged, read, alpha) * read


CURVE_COLUMNS = (
    "step", "discriminator", "generator", "reads_real", "reads_written", "balance",
    "cer_real", "cer_written", "time",
)  # fmt: skip
_NUMBERS = (
    "step", "discriminator", "generator", "reads_real", "reads_written", "balance",
)  # fmt: skip


class Players:
    """The players, their optimisers and the place of the run; ``state`` is its memory."""

    def __init__(
        self,
        config: GanConfig,
        model_config: ScrabbleGanConfig,
        charset: Charset,
        device: torch.device,
    ):
        torch.manual_seed(config.seed)
        built = architecture(ARCH).build(model_config, charset).to(device)
        assert isinstance(built, ScrabbleGan)  # noqa: S101  that is what ARCH names
        self.model = built.train()
        for module in self.model.modules():  # half again as fast on a CPU
            if isinstance(module, nn.Conv2d):
                module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch stub
        self.config = config
        self.device = device
        betas = (0.0, 0.999)
        self.optimisers = {
            "generator": torch.optim.Adam(
                self.model.generator.parameters(), config.learning_rate, betas
            ),
            "discriminator": torch.optim.Adam(
                self.model.discriminator.parameters(), config.learning_rate, betas
            ),
            "recognizer": torch.optim.Adam(
                self.model.recognizer.parameters(), config.recognizer_rate, betas
            ),
        }
        self.average = WeightAverage(self.model.generator, config.ema)
        self.step = 0
        self.place = (0, 0)
        self.discriminator = self.generator = math.nan
        self.reads_real = self.reads_written = self.balance = math.nan

    def begin_from(self, weights: Path) -> None:
        """Start with the players of a weights file; optimisers and average start anew.

        Raises:
            ValueError: the file holds another architecture or another size.
            WeightsRefused: it cannot be read.
        """
        found, start = load_weights(weights)
        if found != ARCH:
            raise ValueError(f"{weights.name} holds {found}, not {ARCH}.")
        try:
            self.model.load_state_dict(start.state_dict())
        except RuntimeError as error:
            raise ValueError(f"{weights.name} has another size than this run: {error}") from error
        self.average = WeightAverage(self.model.generator, self.config.ema)

    def learn(self, batch: RealBatch, pool: WordPool) -> None:
        """One step of every player whose turn it is."""
        rng = np.random.default_rng([self.config.seed, self.step, 4])
        self._learn_to_read(batch.labelled)
        if self.step >= self.config.recognizer_head_start:
            self._learn_to_judge(batch, pool, rng)
            if (self.step + 1) % self.config.num_critic == 0:
                self._learn_to_write(batch, pool, rng)
        self.step += 1
        self.place = batch.place

    def _learn_to_read(self, batch: Batch) -> None:
        """The recognizer learns from real crops, and from nothing else."""
        with self._autocast():
            loss = self.model.recognizer.loss(*_moved(batch, self.device))["loss"]
        self._descend("recognizer", loss)
        self.reads_real = float(loss.detach())

    def _learn_to_judge(self, batch: RealBatch, pool: WordPool, rng: np.random.Generator) -> None:
        classes, z = self._draw(batch, pool, rng)
        with self._autocast():
            with torch.no_grad():
                written = self.model.generator(classes, z)
            real = batch.judged.to(self.device)
            scores = self.model.discriminator(torch.cat([real, written]))
        loss = hinge_discriminator(scores[: len(real)], scores[len(real) :])
        self._descend("discriminator", loss)
        self.discriminator = float(loss.detach())

    def _learn_to_write(self, batch: RealBatch, pool: WordPool, rng: np.random.Generator) -> None:
        classes, z = self._draw(batch, pool, rng)
        with self._autocast():
            written = self.model.generator(classes, z)
            judged, self.generator = self._judged_gradient(written)
            read, self.reads_written = self._read_gradient(written, classes)
        self.balance = float(balance_factor(judged, read, self.config.alpha))
        self.optimisers["generator"].zero_grad()
        written.backward(balanced_gradient(judged, read, self.config.alpha))
        self.optimisers["generator"].step()
        self.average.update(self.model.generator)

    def _judged_gradient(self, written: Tensor) -> tuple[Tensor, float]:
        ink = written.detach().requires_grad_()
        loss = hinge_generator(self.model.discriminator(ink))
        return torch.autograd.grad(loss, ink)[0], float(loss.detach())

    def _read_gradient(self, written: Tensor, classes: Tensor) -> tuple[Tensor, float]:
        ink = written.detach().requires_grad_()
        # In training mode its batch norms would learn from what the generator wrote.
        self.model.recognizer.eval()
        widths = torch.full((len(ink),), ink.shape[3], device=self.device)
        lengths = torch.full((len(ink),), classes.shape[1], device=self.device)
        loss = self.model.recognizer.loss(ink, widths, classes, lengths)["loss"]
        gradient = torch.autograd.grad(loss, ink)[0]
        self.model.recognizer.train()
        return gradient, float(loss.detach())

    def _draw(
        self, batch: RealBatch, pool: WordPool, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Words as long as the real ones of the step, and a hand for each."""
        count = len(batch.labelled.texts)
        words = pool.draw(len(batch.labelled.texts[0]), count, rng)
        classes = torch.tensor([self.model.charset.encode(word) for word in words])
        return classes.to(self.device), self.model.draw_styles(count, rng)

    def _descend(self, player: str, loss: Tensor) -> None:
        self.optimisers[player].zero_grad()
        loss.backward()
        self.optimisers[player].step()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16)

    def averaged(self) -> ScrabbleGan:
        """A copy with the averaged generator."""
        twin = copy.deepcopy(self.model)
        twin.generator.load_state_dict(self.average.tensors)
        return twin.eval()

    def exported(self) -> dict[str, Tensor]:
        """All weights, the generator's averaged."""
        return self.averaged().state_dict()

    def draw_sheet(self, path: Path) -> None:
        """The same words in the same hands each time, and what the recognizer reads there."""
        twin = self.averaged()
        words = [word for word in SHEET_WORDS if twin.can_write(word)]
        if not words:
            return
        styles = twin.draw_styles(SHEET_STYLES, np.random.default_rng([0, 0, 5]))
        crops = []
        for style in styles:
            inks = twin.write(words, style.expand(len(words), -1))
            for word, ink in zip(words, inks, strict=True):
                crop = torch.from_numpy(ink.astype(np.float32) / 255.0)[None, None]
                width = torch.tensor([ink.shape[1]], device=self.device)
                read = twin.recognizer.greedy(crop.to(self.device), width)[0]
                crops.append((np.asarray(255 - ink, np.uint8), f"{word} > {read}"))
        cv2.imwrite(str(path), contact_sheet(crops))

    def curve_row(self, batch: RealBatch, pool: WordPool) -> list[str]:
        """One row of the curve; CER of the recognizer on real and on averaged written words."""
        rng = np.random.default_rng([self.config.seed, self.step, 6])
        labelled = batch.labelled
        words = pool.draw(len(labelled.texts[0]), len(labelled.texts), rng)
        inks = self.averaged().write(words, rng)
        images = torch.from_numpy(np.stack(inks).astype(np.float32) / 255.0).unsqueeze(1)
        written = replace(labelled, images=images, texts=tuple(words))
        cers = [greedy_cer(self.model.recognizer, [b], self.device) for b in (labelled, written)]
        numbers = [getattr(self, name) for name in _NUMBERS[1:]] + cers
        return [str(self.step), *(f"{n:.4f}" for n in numbers), f"{time.time():.0f}"]

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "model": self.model.state_dict(),
            "optimisers": {name: o.state_dict() for name, o in self.optimisers.items()},
            "average": self.average.tensors,
            "average_steps": self.average.steps,
            "numbers": {name: getattr(self, name) for name in _NUMBERS},
            "place": list(self.place),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.model.load_state_dict(state["model"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        self.average.tensors = {k: v.to(self.device) for k, v in state["average"].items()}
        self.average.steps = state["average_steps"]
        for name, value in state["numbers"].items():
            setattr(self, name, value)
        first, used = state["place"]
        self.place = (first, used)


def _moved(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        batch.images.to(device),
        batch.widths.to(device),
        batch.targets.to(device),
        batch.lengths.to(device),
    )
