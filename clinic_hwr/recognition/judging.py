"""Judging strings: who proposes them, what every judge says of them, which come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from .charset import Charset, fold_text
from .decoding import ctc
from .decoding.choice import CtcSearch
from .decoding.language_model import CharLanguageModel
from .decoding.lexicon import Lexicon, name_log_probabilities
from .fusion import Fusion, Opinions
from .looking import Look, Looker

CANDIDATES = 12  # free strings that every judge scores; with 8, UNIPEN words lost 2 points
# Of these the decoder, which costs most, is asked about those that CTC and language model leave
# within so many nats of the best, and about the first few in any case. On the fitting halves (127
# Copiste, 271 UNIPEN, 370 prescription words) no first choice changed against asking about all 12,
# and a truth fell out of the first five once; 5.1, 3.7 and 9.2 strings a word were left.
MARGIN = 4.0
AT_LEAST = 4
NAMES_DRAWN = 16  # lexicon names that each network puts forward
NAMES_DECODED = 8  # of those, how many the attention decoder judges
HOPELESS = -300.0  # log probability of a string that does not fit into the frames, or worse


def votes(look: Look, search: CtcSearch) -> list[list[tuple[int, ...]]]:
    """Each judge's own n-best strings, best first.

    A decoder knows no dictionary: where one is asked for, it judges strings and proposes none.
    """
    strings = [search.strings(p, look.kind) for p in look.ctc]
    if search.closed(look.kind):
        return strings
    return strings + [list(f.drafts) for f in look.frames if f.drafts]


def distinct(votes: Sequence[Sequence[tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """Every string that some judge proposed, once."""
    return list(dict.fromkeys(string for strings in votes for string in strings))


def score(
    looker: Looker,
    looks: Sequence[Look],
    candidates: Sequence[Sequence[tuple[int, ...]]],
    fusion: Fusion,
    language_model: CharLanguageModel | None,
) -> list[list[Opinions]]:
    """Ask every judge about every candidate that may win; best first."""
    weights = fusion.ctc
    kept: list[list[Opinions]] = []
    encoded: list[list[tuple[int, ...]]] = []
    for look, strings in zip(looks, candidates, strict=True):
        by_ctc = [ctc.string_log_probabilities(p, strings) for p in look.ctc]
        rows = [
            (string, tuple(max(float(p[k]), HOPELESS) for p in by_ctc))
            for k, string in enumerate(strings)
        ]
        rows.sort(key=lambda row: -_weighted(weights, row[1]))
        opinions = [
            (
                string,
                Opinions(
                    looker.charset.decode(string),
                    found,
                    (),
                    language_model.log_p(string) if language_model else 0.0,
                ),
            )
            for string, found in rows[:CANDIDATES]
        ]
        opinions.sort(key=lambda row: -row[1].joint(fusion))
        best = opinions[0][1].joint(fusion) if opinions else 0.0
        some = [
            row
            for place, row in enumerate(opinions)
            if place < AT_LEAST or row[1].joint(fusion) > best - MARGIN or not look.ctc
        ]
        encoded.append([string for string, _ in some])
        kept.append([opinion for _, opinion in some])
    by_attention = looker.attention(looks, encoded)
    return [
        sorted(
            (replace(o, attention=chars) for o, chars in zip(some, found, strict=True)),
            key=lambda o: -o.joint(fusion),
        )
        for some, found in zip(kept, by_attention, strict=True)
    ]


def rank_names(
    looker: Looker, looks: Sequence[Look], lexicon: Lexicon, fusion: Fusion
) -> list[list[tuple[str, Opinions]]]:
    """Rank names: each network draws a short list, all judges order it; best first."""
    short: list[list[tuple[str, str, tuple[float, ...]]]] = []  # name, as written, CTC
    for look in looks:
        names = _short_list(looker, look, lexicon)
        scores = [name_log_probabilities(p, names, looker.charset) for p in look.ctc]
        rows = [
            (name, tuple(max(float(s[k]), HOPELESS) for s in scores))
            for k, name in enumerate(names)
        ]
        rows.sort(key=lambda row: -_weighted(fusion.ctc, row[1]))
        rows = rows[:NAMES_DECODED]
        written = _likeliest_cases(look, [name for name, _ in rows], looker.charset)
        short.append([(n, form, p) for (n, p), form in zip(rows, written, strict=True)])
    strings = [[tuple(looker.charset.encode(form)) for _, form, _ in rows] for rows in short]
    by_attention = looker.attention(looks, strings)
    ranked = []
    for rows_of, chars in zip(short, by_attention, strict=True):
        found = [
            (name, Opinions(form, by_ctc, by_decoder))
            for (name, form, by_ctc), by_decoder in zip(rows_of, chars, strict=True)
        ]
        ranked.append(sorted(found, key=lambda item: -item[1].joint(fusion)))
    return ranked


def _short_list(looker: Looker, look: Look, lexicon: Lexicon) -> list[str]:
    """The names that each network puts forward.

    Without a CTC layer there are no frames to search a list with: the names nearest to the
    decoder's own strings are taken.
    """
    drawn = [name for p in look.ctc for name, _ in lexicon.rank(p, NAMES_DRAWN)]
    if not look.ctc:
        for draft in (d for f in look.frames for d in f.drafts):
            text = looker.charset.decode(draft)
            near = process.extract(
                text, lexicon.names, scorer=Levenshtein.distance, processor=str.lower, limit=4
            )
            drawn += [name for name, _, _ in near]
    return list(dict.fromkeys(drawn))[: NAMES_DRAWN * max(1, len(look.ctc))]


def _likeliest_cases(look: Look, names: Sequence[str], charset: Charset) -> list[str]:
    """The case in which each name was written: as given, lower, Capitalised or CAPITALS."""
    forms = [
        [
            form
            for form in dict.fromkeys((fold_text(n), *_cases(fold_text(n))))
            if charset.covers(form)
        ]
        for n in names
    ]
    if not look.ctc:
        draft = charset.decode(look.frames[0].drafts[0])
        return [min(some, key=lambda form: Levenshtein.distance(form, draft)) for some in forms]
    flat = [charset.encode(form) for some in forms for form in some]
    scores = iter(ctc.string_log_probabilities(look.ctc[0], flat))
    return [max(some, key=lambda form: next(scores)) for some in forms]


def _weighted(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(w * v for w, v in zip(weights, values, strict=True))


def _cases(text: str) -> tuple[str, str, str]:
    return text.lower(), text.capitalize(), text.upper()
