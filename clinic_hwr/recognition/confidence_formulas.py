"""How other engines turn network outputs into one confidence, to compare with ours.

Written from the published formulas, for the outputs of our own readers: CTC log probabilities
of one crop, (T, C), natural logarithm, class 0 = blank, or the attention decoder's log
probability of each written character and then of the end symbol. All results lie in 0..1.

EasyOCR, docTR, PaddleOCR and kraken take their number from the best path even where the text
came from a beam or a dictionary; so do these functions. docTR's mean over the pieces of a wide
crop is left out, as words are read in one piece.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LogProbs = NDArray[np.float64]

# Tesseract, src/ccmain/linerec.cpp (scale) and src/lstm/lstmrecognizer.cpp (ratio, offset).
_TESSERACT_SCALE = 7.0
_TESSERACT_NO_DICTIONARY = 2.25
_TESSERACT_OFFSET = -0.085


def doctr(log_probs: LogProbs) -> float:
    """Least of the frames' greatest probabilities, blanks included.

    Source: mindee/doctr, doctr/models/recognition/crnn/pytorch.py, ``ctc_best_path``.
    """
    return float(np.exp(log_probs.max(axis=1).min()))


def easyocr(log_probs: LogProbs) -> float:
    """Product over the n non-blank frames of the greatest probability, to the power 2/sqrt(n).

    Source: JaidedAI/EasyOCR, easyocr/recognition.py, ``custom_mean``. 0 without such a frame.
    """
    best = log_probs.max(axis=1)[log_probs.argmax(axis=1) != 0]
    if len(best) == 0:
        return 0.0
    return float(np.exp(best.sum() * 2 / math.sqrt(len(best))))


def paddleocr(log_probs: LogProbs) -> float:
    """Mean over the characters of the greatest probability in the first frame of each.

    Source: PaddlePaddle/PaddleOCR, ppocr/postprocess/rec_postprocess.py, ``BaseRecLabelDecode``.
    0 without a character.
    """
    runs = _character_runs(log_probs)
    return float(np.mean([math.exp(run[0]) for run in runs])) if runs else 0.0


def kraken(log_probs: LogProbs) -> float:
    """Mean over the characters of the greatest probability in any frame of each.

    Source: mittagessen/kraken, kraken/lib/ctc_decoder.py, ``greedy_decoder``, for characters and
    kraken/templates/alto (attribute WC) for their mean. 0 without a character.
    """
    runs = _character_runs(log_probs)
    return float(np.mean([math.exp(run.max()) for run in runs])) if runs else 0.0


def tesseract(log_probs: LogProbs) -> float:
    """Certainty of the worst character, on a linear scale.

    A character's certainty is the least log probability of its frames and of the blanks before
    it; the last one also answers for the blanks behind it. So a word's is the least of all its
    frames: ranked as ``doctr``, numbered differently.

    Source: tesseract-ocr/tesseract, src/lstm/recodebeam.cpp, ``ExtractPathAsUnicharIds``;
    src/ccmain/linerec.cpp, ``SearchWords``; src/ccmain/ltrresultiterator.cpp, ``Confidence``:
    (100 + 5 certainty) / 100. As for a word outside of Tesseract's dictionary.
    """
    worst = float(log_probs.max(axis=1).min())
    certainty = _TESSERACT_SCALE * _TESSERACT_NO_DICTIONARY * (worst + _TESSERACT_OFFSET)
    return max(0.0, 1.0 + 0.05 * certainty)


def deep_text_recognition_benchmark(steps: Sequence[float]) -> float:
    """Product of the characters' probabilities, without the end symbol.

    Source: clovaai/deep-text-recognition-benchmark, demo.py (``cumprod``). 0 without a character.

    Args:
        steps: log probability of each character, then of the end symbol.
    """
    return math.exp(sum(steps[:-1])) if len(steps) > 1 else 0.0


def parseq(steps: Sequence[float]) -> float:
    """Product of the characters' probabilities and the end symbol's.

    Source: baudm/parseq, strhub/models/base.py (``prob.prod()``) with strhub/data/utils.py.
    0 where the decoder gave nothing.

    Args:
        steps: log probability of each character, then of the end symbol.
    """
    return math.exp(sum(steps)) if steps else 0.0


def _character_runs(log_probs: LogProbs) -> list[NDArray[np.float64]]:
    """Greatest log probabilities of the frames of each character on the best path."""
    path, best = log_probs.argmax(axis=1), log_probs.max(axis=1)
    borders = np.flatnonzero(path[1:] != path[:-1]) + 1
    return [
        run
        for run, label in zip(np.split(best, borders), path[np.r_[0, borders]], strict=True)
        if label != 0
    ]
