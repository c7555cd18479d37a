"""Reading crops with one network or several: candidates, opinions, a winner, a probability."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .calibration import Calibrator
from .charset import Charset
from .decoding import ctc
from .decoding.language_model import CharLanguageModel
from .decoding.lexicon import Lexicon, name_log_probabilities
from .fusion import Fusion, Opinions
from .images import cut_pieces, fit_ink, ink_map, ink_quality
from .network import IMPOSSIBLE, Frames, Network
from .pieces import join_pieces
from .types import Alternative, CharConfidence, Reading

BEAM_WIDTH = 10
NAMES_DRAWN = 16  # lexicon names that each network puts forward
NAMES_DECODED = 8  # of those, how many the attention decoder judges
HOPELESS = -300.0  # log probability of a string that does not fit into the frames, or worse
# Ink more than this many times as wide as high is read in pieces. On 60 held-out lines of
# running text a model midway through training had CER 42% with 10 and 51% with 12.5.
PIECE_RATIO = 10.0
# Kinds whose value is a number or an identifier: they are read with these characters only
# and no lexicon ever touches them.
DIGIT_CHARS = "0123456789./-+()# "
CLOSED_CHARSETS = {"digits": DIGIT_CHARS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
LEXICON_KINDS = frozenset({"word", "line", "drug", "name"})


@dataclass(frozen=True)
class ReaderSettings:
    """What was fitted for a set of networks; ships beside the weights.

    Attributes:
        free, lexicon: weights of the opinions, without and with a list of names.
        calibrators: by field kind; ``lexicon`` for readings from a list, ``word`` for any
            kind that has none of its own.
    """

    free: Fusion
    lexicon: Fusion
    calibrators: Mapping[str, Calibrator]


@dataclass(frozen=True)
class _Crop:
    """One ink map with what the networks say of it."""

    frames: tuple[Frames, ...]
    kind: str
    whole: bool  # not a piece of a long line
    contrast: float
    height: float


class FusedReader:
    """Reads crops; see ``types.Reader``. The first network's decoder is the one that is used.

    Thread-safe: the networks run one caller at a time, so that threads do not fight over the
    same cores.

    Args:
        networks: at least one; all with the same charset.
        settings: fitted weights and calibrators.
        language_model: needed when a fitted weight for it is not 0.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        settings: ReaderSettings,
        language_model: CharLanguageModel | None = None,
    ):
        self.networks = tuple(networks)
        self.settings = settings
        self.language_model = language_model
        self.charset: Charset = networks[0].charset
        if any(n.charset != self.charset for n in networks):
            raise ValueError("All networks of a reader must share one charset.")
        self._lock = threading.Lock()
        self._lexicons: dict[int, Lexicon] = {}

    @property
    def model_version(self) -> str:
        """Names of the weights with the first hex digits of their SHA-256."""
        return "+".join(network.version for network in self.networks)

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
        looked = self.look(crops, kinds)
        blank = Reading("", 0.0, (), (), self.model_version, {"no_ink": 1.0})
        inked = [crop for parts in looked for crop in parts if crop is not None]
        readings = iter(self._judge(inked, names, nbest))
        return [
            join_pieces([blank if crop is None else next(readings) for crop in parts], nbest)
            for parts in looked
        ]

    def look(
        self, crops: Sequence[NDArray[np.uint8]], kinds: Sequence[str]
    ) -> list[list[_Crop | None]]:
        """Run the networks on the pieces of each crop; None for a piece without ink."""
        inks = [ink_map(crop) for crop in crops]
        quality = [ink_quality(crop, ink) for crop, ink in zip(crops, inks, strict=True)]
        pieces = [cut_pieces(ink, PIECE_RATIO) for ink in inks]
        owner = [i for i, parts in enumerate(pieces) for _ in parts]
        flat = [piece for parts in pieces for piece in parts]
        fitted = [[fit_ink(p, n.height_px, n.max_width_px) for p in flat] for n in self.networks]
        inked = [k for k in range(len(flat)) if fitted[0][k].any()]
        forbidden = torch.stack(
            [self._forbidden(kinds[owner[k]]) for k in inked] or [torch.empty(0)]
        )
        with self._lock:
            by_network = [
                network.frames([some[k] for k in inked], forbidden)
                for network, some in zip(self.networks, fitted, strict=True)
            ]
        crops_of: dict[int, _Crop] = {}
        for position, k in enumerate(inked):
            i = owner[k]
            frames = tuple(found[position] for found in by_network)
            crops_of[k] = _Crop(frames, kinds[i], len(pieces[i]) == 1, *quality[i])
        numbers = iter(range(len(flat)))
        return [[crops_of.get(next(numbers)) for _ in parts] for parts in pieces]

    def _lexicon(self, names: Sequence[str]) -> Lexicon:
        """Build a list's trie once; a caller that passes the same tuple again pays nothing."""
        key = hash(tuple(names))
        if key not in self._lexicons:
            if len(self._lexicons) > 8:
                self._lexicons.clear()
            self._lexicons[key] = Lexicon(names, self.charset)
        return self._lexicons[key]

    def _forbidden(self, kind: str) -> Tensor:
        """Classes that may not be written for a kind, (classes,) bool."""
        allowed = CLOSED_CHARSETS.get(kind)
        mask = torch.zeros(self.charset.size, dtype=torch.bool)
        if allowed is not None:
            mask[1:] = torch.tensor([c not in allowed for c in self.charset.characters])
        return mask

    def _judge(self, crops: Sequence[_Crop], lexicon: Lexicon | None, nbest: int) -> list[Reading]:
        """Find candidates, score them with every judge, and choose."""
        voted = [self._votes(crop) for crop in crops]
        free = self.score(crops, [_distinct(votes) for votes in voted])
        named: list[list[tuple[str, Opinions]]] = [[] for _ in crops]
        if lexicon is not None:
            # A name is ranked against a whole crop, never against a piece of a long line.
            rows = [i for i, c in enumerate(crops) if c.whole and c.kind in LEXICON_KINDS]
            ranked = self.rank_names([crops[i] for i in rows], lexicon)
            for i, found_names in zip(rows, ranked, strict=True):
                named[i] = found_names
        size = len(lexicon.names) if lexicon is not None else 0
        readings = []
        for i, crop in enumerate(crops):
            own = [self.charset.decode(votes[0]) for votes in voted[i]]
            readings.append(self._reading(crop, free[i], named[i], own, size, nbest))
        return readings

    def _votes(self, crop: _Crop) -> list[list[tuple[int, ...]]]:
        """Each judge's own n-best strings, best first."""
        votes = [[h.classes for h in ctc.prefix_beam(f.log_probs, BEAM_WIDTH)] for f in crop.frames]
        return votes + [[f.draft] for f in crop.frames if f.draft is not None]

    def opinions(
        self, crops: Sequence[NDArray[np.uint8]], lexicon: Sequence[str] | None = None
    ) -> list[list[Opinions]]:
        """What the judges say of the candidates of each crop, for fitting their weights.

        With a lexicon the candidates are its names, as given. A crop without ink, or one
        that is read in pieces, has none.
        """
        looked = self.look(crops, ["word"] * len(crops))
        rows = [(i, p[0]) for i, p in enumerate(looked) if len(p) == 1 and p[0] is not None]
        found: list[list[Opinions]] = [[] for _ in crops]
        whole = [crop for _, crop in rows]
        if lexicon:
            ranked = self.rank_names(whole, self._lexicon(lexicon))
            for (i, _), some in zip(rows, ranked, strict=True):
                found[i] = [replace(opinions, text=name) for name, opinions in some]
            return found
        candidates = [_distinct(self._votes(crop)) for crop in whole]
        for (i, _), some_free in zip(rows, self.score(whole, candidates), strict=True):
            found[i] = some_free
        return found

    def score(
        self, crops: Sequence[_Crop], candidates: Sequence[Sequence[tuple[int, ...]]]
    ) -> list[list[Opinions]]:
        """Ask every judge about every candidate; the best by the free weights comes first."""
        by_attention = self._attention(crops, candidates)
        scored = []
        for i, crop in enumerate(crops):
            strings = candidates[i]
            by_ctc = [ctc.string_log_probabilities(f.log_probs, strings) for f in crop.frames]
            opinions = [
                Opinions(
                    self.charset.decode(string),
                    tuple(max(float(p[k]), HOPELESS) for p in by_ctc),
                    by_attention[i][k],
                    self.language_model.log_p(string) if self.language_model else 0.0,
                )
                for k, string in enumerate(strings)
            ]
            scored.append(sorted(opinions, key=lambda o: -o.joint(self.settings.free)))
        return scored

    def _attention(
        self, crops: Sequence[_Crop], strings: Sequence[Sequence[tuple[int, ...]]]
    ) -> list[list[tuple[float, ...]]]:
        network = self.networks[0]
        if network.decoder is None or not crops:
            return [[() for _ in some] for some in strings]
        with self._lock:
            return network.attention_scores([c.frames[0] for c in crops], strings)

    def rank_names(
        self, crops: Sequence[_Crop], lexicon: Lexicon
    ) -> list[list[tuple[str, Opinions]]]:
        """Rank names: each network draws a short list, all judges order it; best first."""
        fusion = self.settings.lexicon
        short: list[list[tuple[str, tuple[float, ...]]]] = []
        for crop in crops:
            drawn = dict.fromkeys(
                name for f in crop.frames for name, _ in lexicon.rank(f.log_probs, NAMES_DRAWN)
            )
            names = list(drawn)
            scores = [name_log_probabilities(f.log_probs, names, self.charset) for f in crop.frames]
            rows = [
                (name, tuple(max(float(s[k]), HOPELESS) for s in scores))
                for k, name in enumerate(names)
            ]
            rows.sort(key=lambda row: -sum(w * p for w, p in zip(fusion.ctc, row[1], strict=True)))
            short.append(rows)
        forms = [
            [
                (name, form)
                for name, _ in rows[:NAMES_DECODED]
                for form in dict.fromkeys((name, name.lower(), name.capitalize(), name.upper()))
                if self.charset.covers(form)
            ]
            for rows in short
        ]
        strings = [[tuple(self.charset.encode(form)) for _, form in some] for some in forms]
        by_attention = self._attention(crops, strings)
        ranked = []
        for rows, some, chars in zip(short, forms, by_attention, strict=True):
            by_ctc = dict(rows)
            best: dict[str, Opinions] = {}
            for (name, form), form_chars in zip(some, chars, strict=True):
                opinions = Opinions(form, by_ctc[name], form_chars)
                if name not in best or opinions.joint(fusion) > best[name].joint(fusion):
                    best[name] = opinions
            ranked.append(sorted(best.items(), key=lambda item: -item[1].joint(fusion)))
        return ranked

    def _reading(
        self,
        crop: _Crop,
        free: Sequence[Opinions],
        named: Sequence[tuple[str, Opinions]],
        own: Sequence[str],
        lexicon_size: int,
        nbest: int,
    ) -> Reading:
        fusion = self.settings.lexicon if named else self.settings.free
        ranked = list(named) or [(o.text, o) for o in free]
        text, best = ranked[0]
        joints = [o.joint(fusion) for _, o in ranked]
        length = len(text) + 1
        votes = [vote.lower() == text.lower() for vote in own]
        scores = {
            "ctc": best.ctc[0],
            "ctc_per_char": best.ctc[0] / length,
            "joint": joints[0],
            "joint_per_char": joints[0] / length,
            "margin": joints[0] - joints[1] if len(joints) > 1 else 20.0,
            "agree": sum(votes) / len(votes),
            "lexicon_gap": (free[0].joint(fusion) - joints[0]) if named else 0.0,
            "lexicon_size": math.log10(max(1, lexicon_size)),
            "length": float(len(text)),
            "contrast": crop.contrast,
            "height": crop.height,
        }
        if best.attention:
            scores["attention"] = sum(best.attention)
            scores["attention_per_char"] = sum(best.attention) / length
            scores["weakest"] = min(best.attention)
        if len(best.ctc) > 1:
            scores["second"] = best.ctc[1]
            scores["second_per_char"] = best.ctc[1] / length
        calibrators = self.settings.calibrators
        kind = "lexicon" if named else crop.kind
        calibrator = calibrators.get(kind, calibrators["word"])
        alternatives = tuple(
            Alternative(t, share)
            for (t, _), share in zip(ranked[:nbest], _softmax(joints), strict=False)
        )
        return Reading(
            text,
            calibrator.probability(scores),
            self._chars(text, best, crop),
            alternatives,
            self.model_version,
            scores,
        )

    def _chars(self, text: str, best: Opinions, crop: _Crop) -> tuple[CharConfidence, ...]:
        """Confidence of each character: the decoder's, and each network's at its place."""
        columns = [[math.exp(p) for p in best.attention[: len(text)]]] if best.attention else []
        classes = self.charset.encode(best.text)
        for frames in crop.frames:
            found = ctc.forced_alignment(frames.log_probs, classes)
            if found is not None:
                columns.append(
                    [
                        math.exp(frames.log_probs[t, c])
                        for t, c in zip(found[0], classes, strict=True)
                    ]
                )
        if not columns or len(best.text) != len(text):
            return tuple(CharConfidence(char, 0.0) for char in text)
        means = [sum(values) / len(values) for values in zip(*columns, strict=True)]
        return tuple(CharConfidence(c, m) for c, m in zip(text, means, strict=True))

    def frame_log_probabilities(
        self, crops: Sequence[NDArray[np.uint8]]
    ) -> list[NDArray[np.float64]]:
        """CTC log probabilities (T, classes) of the first network; pieces are joined in order."""
        looked = self.look(crops, ["word"] * len(crops))
        silence = np.full((1, self.charset.size), IMPOSSIBLE)
        silence[0, 0] = 0.0
        return [
            np.concatenate([silence if c is None else c.frames[0].log_probs for c in parts])
            for parts in looked
        ]

    def attention_log_probabilities(
        self, crops: Sequence[NDArray[np.uint8]], texts: Sequence[str]
    ) -> list[tuple[float, ...]]:
        """The decoder's log probability of each character of a text and of its end.

        A crop without ink, or one that is read in pieces, gives ().
        """
        looked = self.look(crops, ["word"] * len(crops))
        found: list[tuple[float, ...]] = [()] * len(crops)
        rows = [(i, p[0]) for i, p in enumerate(looked) if len(p) == 1 and p[0] is not None]
        strings = [[tuple(self.charset.encode(texts[i]))] for i, _ in rows]
        scores = self._attention([crop for _, crop in rows], strings)
        for (i, _), some in zip(rows, scores, strict=True):
            found[i] = some[0]
        return found


def _distinct(votes: Sequence[Sequence[tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """Every string that some judge proposed, once."""
    return list(dict.fromkeys(string for strings in votes for string in strings))


def _softmax(values: Sequence[float]) -> list[float]:
    top = max(values)
    exps = [math.exp(v - top) for v in values]
    total = sum(exps)
    return [e / total for e in exps]
