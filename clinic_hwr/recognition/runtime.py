"""Loading weights and reading crops: the recognition room's front door."""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .architectures import UnknownArchitecture, architecture_names
from .architectures.trba import Encoded, Trba
from .calibration import Calibrator
from .charset import Charset
from .decoding import attention, ctc
from .decoding.lexicon import Lexicon
from .images import prepare_pieces
from .pieces import join_pieces
from .training.checkpoints import load_weights
from .types import Alternative, CharConfidence, Reading

WEIGHTS_DIR = Path(__file__).parent / "weights"
BEAM_WIDTH = 10
BATCH_PIXELS = 8192  # width times crops; keeps memory flat however many crops come
MAX_CHARS = 64
# Of ink at 32 px height. On 60 held-out lines of running text a model midway through training
# had CER 42% with 320 and 51% with 400.
PIECE_PX = 320
# Kinds whose value is a number or an identifier: they are read with these characters only
# and no lexicon ever touches them.
DIGIT_CHARS = "0123456789./-+()# "
CLOSED_CHARSETS = {"digits": DIGIT_CHARS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
LEXICON_KINDS = frozenset({"word", "line", "drug", "name"})


class WeightsNotFound(FileNotFoundError):
    """No weights are installed for the architecture that was asked for."""


@dataclass(frozen=True)
class _Scored:
    """One candidate string of one crop with its log probabilities."""

    text: str
    ctc: float
    attention_chars: tuple[float, ...]  # per character, then the end symbol

    @property
    def attention(self) -> float:
        return sum(self.attention_chars)

    @property
    def joint(self) -> float:
        """Mean of both heads; other weights were not tried."""
        return 0.5 * self.ctc + 0.5 * self.attention


class TrbaReader:
    """Reads crops with a joint CTC and attention model; see ``types.Reader``.

    Thread-safe: the forward pass is serialised, so that several threads do not fight over
    the same cores.
    """

    def __init__(self, model: Trba, model_version: str, calibrators: dict[str, Calibrator]):
        self.model = model.eval()
        self._version = model_version
        self.calibrators = calibrators
        self.charset: Charset = model.charset
        self._lock = threading.Lock()
        self._lexicons: dict[int, Lexicon] = {}

    @property
    def model_version(self) -> str:
        """Name of the weights and the first hex digits of their SHA-256."""
        return self._version

    def read(
        self,
        crops: Sequence[NDArray[np.uint8]],
        *,
        kinds: Sequence[str] | None = None,
        lexicon: Sequence[str] | None = None,
        nbest: int = 5,
    ) -> list[Reading]:
        """Read grayscale crops, each (height, width) uint8.

        Args:
            crops: at least one pixel each.
            kinds: field kind of each crop; closes the character set of numbers.
            lexicon: names to rank for the kinds in ``LEXICON_KINDS``; the free reading and
                the gap between both stay in ``scores``.
            nbest: most alternatives reported.

        Returns:
            one reading a crop, in order. A crop without ink reads as "" with ``p_correct`` 0.
        """
        kinds = list(kinds) if kinds is not None else ["line"] * len(crops)
        if len(kinds) != len(crops):
            raise ValueError("kinds must name one kind a crop.")
        names = self._lexicon(lexicon) if lexicon else None
        config = self.model.config
        pieces = [
            prepare_pieces(crop, config.height_px, config.max_width_px, PIECE_PX) for crop in crops
        ]
        inks = [ink for parts in pieces for ink in parts]
        ink_kinds = [kind for kind, parts in zip(kinds, pieces, strict=True) for _ in parts]
        # A name is ranked against a whole crop, never against a piece of a long line.
        ranked = [len(parts) == 1 for parts in pieces for _ in parts]
        readings = iter(self._read_inks(inks, ink_kinds, ranked, names, nbest))
        return [join_pieces([next(readings) for _ in parts], nbest) for parts in pieces]

    def _read_inks(
        self,
        inks: Sequence[NDArray[np.float32]],
        kinds: Sequence[str],
        ranked: Sequence[bool],
        names: Lexicon | None,
        nbest: int,
    ) -> list[Reading]:
        """Read prepared ink maps, batched by width; in order."""
        readings: list[Reading | None] = [None] * len(inks)
        groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for i, ink in enumerate(inks):
            if ink.any():
                groups[ink.shape[1], ranked[i]].append(i)
            else:
                readings[i] = Reading("", 0.0, (), (), self._version, {"no_ink": 1.0})
        for (width, by_name), members in sorted(groups.items()):
            step = max(1, BATCH_PIXELS // width)
            for start in range(0, len(members), step):
                part = members[start : start + step]
                images = torch.from_numpy(np.stack([inks[i] for i in part])).unsqueeze(1)
                found = self._read_batch(
                    images, [kinds[i] for i in part], names if by_name else None, nbest
                )
                for i, reading in zip(part, found, strict=True):
                    readings[i] = reading
        return [reading for reading in readings if reading is not None]

    def _lexicon(self, names: Sequence[str]) -> Lexicon:
        """Fold a list once; a caller that passes the same tuple again pays nothing."""
        key = hash(tuple(names))
        if key not in self._lexicons:
            if len(self._lexicons) > 8:
                self._lexicons.clear()
            self._lexicons[key] = Lexicon(names)
        return self._lexicons[key]

    def _read_batch(
        self, images: Tensor, kinds: Sequence[str], lexicon: Lexicon | None, nbest: int
    ) -> list[Reading]:
        widths = torch.full((len(images),), images.shape[3])
        forbidden = torch.stack([self._forbidden(kind) for kind in kinds])
        with self._lock, torch.inference_mode():
            encoded = self.model.encode(images, widths)
            logits = encoded.ctc_logits.float().masked_fill(forbidden.unsqueeze(1), -1e4)
            log_probs = logits.log_softmax(-1).double().numpy()
            drafts = self._draft_by_attention(encoded, forbidden)
            candidates = [self._candidates(log_probs[i], drafts[i]) for i in range(len(images))]
            scored = self._score(encoded, log_probs, candidates)
            named = [
                self._score_names(encoded, i, log_probs[i], scored[i], lexicon)
                if lexicon is not None and kinds[i] in LEXICON_KINDS
                else []
                for i in range(len(images))
            ]
        return [
            self._reading(scored[i], named[i], self.charset.decode(drafts[i]), nbest)
            for i in range(len(images))
        ]

    def _forbidden(self, kind: str) -> Tensor:
        """Classes that may not be written for a kind, (classes,) bool."""
        allowed = CLOSED_CHARSETS.get(kind)
        mask = torch.zeros(self.charset.size, dtype=torch.bool)
        if allowed is not None:
            mask[1:] = torch.tensor([c not in allowed for c in self.charset.characters])
        return mask

    def _draft_by_attention(self, encoded: Encoded, forbidden: Tensor) -> list[tuple[int, ...]]:
        return attention.greedy(
            self.model.decoder, encoded.columns, encoded.mask, MAX_CHARS, forbidden
        )

    def _candidates(
        self, log_probs: NDArray[np.float64], draft: tuple[int, ...]
    ) -> list[tuple[int, ...]]:
        found = [h.classes for h in ctc.prefix_beam(log_probs, BEAM_WIDTH)]
        return list(dict.fromkeys([*found, draft]))

    def _score(
        self,
        encoded: Encoded,
        log_probs: NDArray[np.float64],
        candidates: Sequence[Sequence[tuple[int, ...]]],
    ) -> list[list[_Scored]]:
        """Score every candidate with both heads; best first."""
        rows = [i for i, strings in enumerate(candidates) for _ in strings]
        flat = [string for strings in candidates for string in strings]
        by_attention = attention.string_log_probabilities(
            self.model.decoder, encoded.columns[rows], encoded.mask[rows], flat
        )
        result: list[list[_Scored]] = []
        position = 0
        for i, strings in enumerate(candidates):
            by_ctc = ctc.string_log_probabilities(log_probs[i], strings)
            scored = [
                _Scored(self.charset.decode(s), float(by_ctc[k]), tuple(by_attention[position + k]))
                for k, s in enumerate(strings)
            ]
            position += len(strings)
            result.append(sorted(scored, key=lambda s: -s.joint))
        return result

    def _score_names(
        self,
        encoded: Encoded,
        row: int,
        log_probs: NDArray[np.float64],
        free: Sequence[_Scored],
        lexicon: Lexicon,
    ) -> list[tuple[str, _Scored]]:
        """Rank lexicon names for one crop: CTC draws a short list, both heads order it."""
        ranked = lexicon.rank(log_probs, [s.text for s in free[:3]], self.charset, 12)
        forms = [
            (name, form)
            for name, _ in ranked
            for form in dict.fromkeys((name.lower(), name.capitalize(), name.upper()))
            if self.charset.covers(form)
        ]
        if not forms:
            return []
        strings = [tuple(self.charset.encode(form)) for _, form in forms]
        index = [row] * len(strings)
        by_attention = attention.string_log_probabilities(
            self.model.decoder, encoded.columns[index], encoded.mask[index], strings
        )
        by_ctc = dict(ranked)
        best: dict[str, _Scored] = {}
        for (name, form), chars in zip(forms, by_attention, strict=True):
            scored = _Scored(form, by_ctc[name], tuple(chars))
            if name not in best or scored.joint > best[name].joint:
                best[name] = scored
        return sorted(best.items(), key=lambda item: -item[1].joint)

    def _reading(
        self,
        free: Sequence[_Scored],
        named: Sequence[tuple[str, _Scored]],
        draft: str,
        nbest: int,
    ) -> Reading:
        ranked = named if named else [(s.text, s) for s in free]
        text, best = ranked[0]
        shares = _softmax([s.joint for _, s in ranked])
        runner_up = ranked[1][1].joint if len(ranked) > 1 else best.joint - 20.0
        scores = {
            "ctc": best.ctc,
            "attention": best.attention,
            "ctc_per_char": best.ctc / (len(text) + 1),
            "attention_per_char": best.attention / (len(text) + 1),
            "margin": best.joint - runner_up,
            "agree": float(draft == text and (not named or free[0].text.lower() == text.lower())),
            "weakest": min(best.attention_chars),
            "lexicon_gap": free[0].joint - best.joint,
        }
        if named:
            scores["agree"] = float(free[0].text.lower() == text.lower())
        calibrator = self.calibrators["lexicon" if named else "free"]
        chars = tuple(
            CharConfidence(char, math.exp(log_p))
            for char, log_p in zip(text, best.attention_chars, strict=False)
        )
        alternatives = tuple(
            Alternative(t, share) for (t, _), share in zip(ranked[:nbest], shares, strict=False)
        )
        return Reading(
            text, calibrator.probability(scores), chars, alternatives, self._version, scores
        )


def _softmax(values: Sequence[float]) -> list[float]:
    top = max(values)
    exps = [math.exp(v - top) for v in values]
    total = sum(exps)
    return [e / total for e in exps]


def weights_path(arch: str) -> Path:
    """Where the shipped weights of an architecture lie."""
    return WEIGHTS_DIR / f"{arch}-small.safetensors"


@lru_cache(maxsize=4)
def load_reader(arch: str | None = None, weights: Path | None = None) -> TrbaReader:
    """Load a reader once per process.

    Args:
        arch: a registered architecture; None = ``trba``.
        weights: a weights file; None = the shipped one. ``NAME.calibration.json`` beside it
            holds its calibrators.

    Raises:
        UnknownArchitecture: no such name (the message lists the valid ones).
        WeightsNotFound: the architecture has no weights here.
    """
    name = arch or "trba"
    if name not in architecture_names():
        raise UnknownArchitecture(
            f"There is no architecture {name!r}. Choose from: {', '.join(architecture_names())}."
        )
    path = weights or weights_path(name)
    if not path.exists():
        raise WeightsNotFound(
            f"No weights for {name} at {path.name}: train them with "
            f"`manage.py train --arch {name}` and pass the file."
        )
    found, model = load_weights(path)
    if found != name or not isinstance(model, Trba):
        raise WeightsNotFound(f"{path.name} holds {found}, not {name}.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return TrbaReader(model, f"{path.stem}@{digest}", load_calibrators(path))


def calibration_path(weights: Path) -> Path:
    """The calibration file that belongs to a weights file."""
    return weights.with_suffix(".calibration.json")


def load_calibrators(weights: Path) -> dict[str, Calibrator]:
    """Read the calibrators beside a weights file; an uncalibrated model says p = 0.

    A file without calibration can still be read with, for evaluation; every reading then
    goes to a human.
    """
    path = calibration_path(weights)
    if not path.exists():
        never = Calibrator((), (), (), (), -30.0)
        return {"free": never, "lexicon": never}
    data = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Calibrator(
            tuple(c["features"]), tuple(c["mean"]), tuple(c["scale"]), tuple(c["weight"]), c["bias"]
        )
        for name, c in data["calibrators"].items()
    }
