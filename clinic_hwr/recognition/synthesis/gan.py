"""Words that ScrabbleGAN wrote, as one more source of training crops."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clinic_hwr.recognition.architectures.scrabblegan import ScrabbleGan
from clinic_hwr.recognition.charset import fold_text
from clinic_hwr.recognition.training.checkpoints import WeightsRefused, load_weights
from clinic_hwr.recognition.training.sources import Sample

from .degradation import degrade_ink
from .hands import CannotWrite
from .text import TextSampler

ATTEMPTS = 1000  # texts that are tried before giving up
WRITER = "scrabblegan"


def load_generator(path: Path) -> ScrabbleGan:
    """Load a trained generator; raises ``WeightsRefused`` when the file holds another family."""
    name, model = load_weights(path)
    if not isinstance(model, ScrabbleGan):
        raise WeightsRefused(f"{path.name} holds {name}, which writes nothing.")
    return model


class GanSource:
    """Prescription words in hands that nobody has.

    The words of one text share a hand. The generator gives every character 16 px, so the
    width is drawn anew.

    Args:
        model: a trained generator.
        text: what to write.
    """

    def __init__(self, model: ScrabbleGan, text: TextSampler):
        self.model = model
        self.text = text

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw one text; raises ``CannotWrite`` when the generator knows too few characters."""
        for _ in range(ATTEMPTS):
            text = fold_text(self.text.word(rng))
            if text and all(self.model.can_write(word) for word in text.split()):
                return Sample(degrade_ink(self.ink(text, rng), rng), text, WRITER)
        raise CannotWrite("The generator lacks characters of almost every text; train it longer.")

    def ink(self, text: str, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Write a text in one hand, 255 = full ink; its words side by side."""
        words = text.split()
        style = self.model.draw_styles(1, rng).expand(len(words), -1)
        inks = self.model.write(words, style)
        gap = int(rng.uniform(0.3, 0.7) * inks[0].shape[0])
        alpha = np.hstack([np.pad(ink, ((0, 0), (0, gap))) for ink in inks])[:, :-gap]
        height = rng.uniform(26, 60)
        factor = height / alpha.shape[0]
        stretch = float(np.exp(rng.normal(0, 0.16)))  # as of ``warp_strokes``
        size = (max(1, round(alpha.shape[1] * factor * stretch)), round(height))
        resized = cv2.resize(alpha, size, interpolation=cv2.INTER_CUBIC)
        return np.asarray(resized, np.uint8)
