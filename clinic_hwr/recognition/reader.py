"""Reading crops with one network or several: candidates, opinions, a winner, a probability."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import judging
from .calibration import Calibrator
from .charset import Charset
from .decoding import ctc
from .decoding.choice import PREFIX_BEAM, BadDecoding, CtcSearch, Decoding
from .decoding.language_model import CharLanguageModel
from .decoding.lexicon import Lexicon
from .fusion import Fusion, Opinions
from .looking import Look, Looker
from .network import IMPOSSIBLE, Network
from .pieces import join_pieces
from .types import Alternative, CharConfidence, Reading

LEXICON_KINDS = frozenset({"word", "line", "drug", "name"})


@dataclass(frozen=True)
class ReaderSettings:
    """What was fitted for a set of networks; ships beside the weights.

    Attributes:
        free, lexicon: weights of the opinions, without and with a list of names.
        calibrators: by field kind; ``lexicon`` for readings from a list, ``pieces`` for lines
            that were read in pieces, ``word`` for any kind that has none of its own.
    """

    free: Fusion
    lexicon: Fusion
    calibrators: Mapping[str, Calibrator]


class FusedReader:
    """Reads crops; see ``types.Reader``. The first network's decoder is the one that is used.

    Thread-safe: the networks run one caller at a time, so that threads do not fight over the
    same cores.

    Args:
        networks: at least one; all with the same charset.
        settings: fitted weights and calibrators.
        language_model: needed when a fitted weight for it is not 0.
        decoding: how CTC layers are searched for strings; None = prefix beam.

    Raises:
        BadDecoding: the dictionary cannot be used, or there is no CTC layer to search.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        settings: ReaderSettings,
        language_model: CharLanguageModel | None = None,
        decoding: Decoding | None = None,
    ):
        self.looker = Looker(networks)
        self.settings = settings
        self.language_model = language_model
        self.charset: Charset = self.looker.charset
        self.decoding = decoding or Decoding()
        if self.decoding.name != PREFIX_BEAM and not any(n.has_ctc for n in networks):
            raise BadDecoding(
                f"{self.decoding.name} searches a CTC layer, and this reader has none: its "
                "decoder writes by itself. Leave the choice of a decoder away."
            )
        self.search = CtcSearch(self.decoding, self.charset)
        self._lexicons: dict[int, Lexicon] = {}

    @property
    def model_version(self) -> str:
        """Names of the weights with the first hex digits of their SHA-256."""
        return "+".join(network.version for network in self.looker.networks)

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
        looked = self.looker.look(crops, kinds)
        blank = Reading("", 0.0, (), (), self.model_version, {"no_ink": 1.0})
        inked = [crop for parts in looked for crop in parts if crop is not None]
        readings = iter(self._judge(inked, names, nbest))
        joined = self.settings.calibrators.get("pieces")
        return [
            join_pieces(
                [blank if crop is None else next(readings) for crop in parts], nbest, joined
            )
            for parts in looked
        ]

    def _lexicon(self, names: Sequence[str]) -> Lexicon:
        """Build a list's trie once; a caller that passes the same tuple again pays nothing."""
        key = hash(tuple(names))
        if key not in self._lexicons:
            if len(self._lexicons) > 8:
                self._lexicons.clear()
            self._lexicons[key] = Lexicon(names, self.charset)
        return self._lexicons[key]

    def _judge(self, crops: Sequence[Look], lexicon: Lexicon | None, nbest: int) -> list[Reading]:
        """Find candidates, score them with every judge, and choose."""
        voted = [judging.votes(crop, self.search) for crop in crops]
        free = self._score(crops, [judging.distinct(votes) for votes in voted])
        named: list[list[tuple[str, Opinions]]] = [[] for _ in crops]
        if lexicon is not None:
            # A name is ranked against a whole crop, never against a piece of a long line.
            rows = [i for i, c in enumerate(crops) if c.whole and c.kind in LEXICON_KINDS]
            ranked = judging.rank_names(
                self.looker, [crops[i] for i in rows], lexicon, self.settings.lexicon
            )
            for i, found_names in zip(rows, ranked, strict=True):
                named[i] = found_names
        size = len(lexicon.names) if lexicon is not None else 0
        readings = []
        for i, crop in enumerate(crops):
            own = [self.charset.decode(votes[0]) for votes in voted[i]]
            readings.append(self._reading(crop, free[i], named[i], own, size, nbest))
        return readings

    def opinions(
        self, crops: Sequence[NDArray[np.uint8]], lexicon: Sequence[str] | None = None
    ) -> list[list[Opinions]]:
        """What the judges say of the candidates of each crop, for fitting their weights.

        With a lexicon the candidates are its names, as given. A crop without ink, or one
        that is read in pieces, has none.
        """
        looked = self.looker.look(crops, ["word"] * len(crops))
        rows = [(i, p[0]) for i, p in enumerate(looked) if len(p) == 1 and p[0] is not None]
        found: list[list[Opinions]] = [[] for _ in crops]
        whole = [crop for _, crop in rows]
        if lexicon:
            ranked = judging.rank_names(
                self.looker, whole, self._lexicon(lexicon), self.settings.lexicon
            )
            for (i, _), some in zip(rows, ranked, strict=True):
                found[i] = [replace(opinions, text=name) for name, opinions in some]
            return found
        candidates = [judging.distinct(judging.votes(crop, self.search)) for crop in whole]
        for (i, _), some_free in zip(rows, self._score(whole, candidates), strict=True):
            found[i] = some_free
        return found

    def _score(
        self, looks: Sequence[Look], candidates: Sequence[Sequence[tuple[int, ...]]]
    ) -> list[list[Opinions]]:
        return judging.score(
            self.looker, looks, candidates, self.settings.free, self.language_model
        )

    def _reading(
        self,
        crop: Look,
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
        if best.ctc:
            scores["ctc"] = best.ctc[0]
            scores["ctc_per_char"] = best.ctc[0] / length
        if self.search.closed(crop.kind):
            scores["words_known"] = float(self.search.spells(best.text))
        if len(best.ctc) > 1:
            scores["second"] = best.ctc[1]
            scores["second_per_char"] = best.ctc[1] / length
        calibrators = self.settings.calibrators
        kind = "lexicon" if named else crop.kind if crop.whole else "word"
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

    def _chars(self, text: str, best: Opinions, crop: Look) -> tuple[CharConfidence, ...]:
        """Confidence of each character: the decoder's, and each network's at its place."""
        columns = [[math.exp(p) for p in best.attention[: len(text)]]] if best.attention else []
        classes = self.charset.encode(best.text)
        for log_probs in crop.ctc:
            found = ctc.forced_alignment(log_probs, classes)
            if found is not None:
                columns.append(
                    [math.exp(log_probs[t, c]) for t, c in zip(found[0], classes, strict=True)]
                )
        if not columns or len(best.text) != len(text):
            return tuple(CharConfidence(char, 0.0) for char in text)
        means = [sum(values) / len(values) for values in zip(*columns, strict=True)]
        return tuple(CharConfidence(c, m) for c, m in zip(text, means, strict=True))

    def frame_log_probabilities(
        self, crops: Sequence[NDArray[np.uint8]]
    ) -> list[NDArray[np.float64]]:
        """CTC log probabilities (T, classes) of the first network; pieces are joined in order.

        Raises:
            ValueError: the first network has no CTC layer.
        """
        if not self.looker.networks[0].has_ctc:
            raise ValueError("The first network of this reader has no CTC layer.")
        looked = self.looker.look(crops, ["word"] * len(crops))
        silence = np.full((1, self.charset.size), IMPOSSIBLE)
        silence[0, 0] = 0.0
        return [
            np.concatenate([silence if c is None else c.ctc[0] for c in parts]) for parts in looked
        ]

    def attention_log_probabilities(
        self, crops: Sequence[NDArray[np.uint8]], texts: Sequence[str]
    ) -> list[tuple[float, ...]]:
        """The decoder's log probability of each character of a text and of its end.

        A crop without ink, or one that is read in pieces, gives ().
        """
        looked = self.looker.look(crops, ["word"] * len(crops))
        found: list[tuple[float, ...]] = [()] * len(crops)
        rows = [(i, p[0]) for i, p in enumerate(looked) if len(p) == 1 and p[0] is not None]
        strings = [[tuple(self.charset.encode(texts[i]))] for i, _ in rows]
        scores = self.looker.attention([crop for _, crop in rows], strings)
        for (i, _), some in zip(rows, scores, strict=True):
            found[i] = some[0]
        return found


def _softmax(values: Sequence[float]) -> list[float]:
    top = max(values)
    exps = [math.exp(v - top) for v in values]
    total = sum(exps)
    return [e / total for e in exps]
