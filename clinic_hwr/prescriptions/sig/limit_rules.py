"""Rules of limits and of the rest: durations, counts, as needed, maxima, routes and sites."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from lark import Token, Transformer, v_args
from rapidfuzz.distance import OSA

from clinic_hwr.prescriptions.sig import parts as p
from clinic_hwr.prescriptions.sig.rule_words import UNCLEAR, number_of
from clinic_hwr.prescriptions.sig.vocabulary import PHRASES

# More words than this are a sentence, not a reason.
_LONGEST_REASON = 4


@v_args(inline=True)
class LimitRules(Transformer[Token, Any]):
    """Methods are named after the rules of ``sig.lark``."""

    def duration(self, *items: Token | p.Span) -> p.Part:
        amount = next(item for item in items if isinstance(item, p.Span))
        unit = str(cast(Token, items[-1]).value)
        led = isinstance(items[0], Token) and items[0].type == "FOR"
        # "2 hours" may belong to anything, and "x4h" may be a misread q4h.
        if not amount.valid or (not led and unit in {"min", "h"}):
            return UNCLEAR
        return p.Duration(amount.low, unit, amount.high)

    def for_one(self, *items: Token) -> p.Part:
        return p.Duration(Decimal(1), str(items[-1].value))

    def for_up_to(self, *items: Token | p.Span) -> p.Part:
        amount = next(item for item in items if isinstance(item, p.Span))
        if not amount.valid or amount.high is not None:
            return UNCLEAR
        unit = str(cast(Token, items[-1]).value)
        return p.Duration(None, unit, amount.low)

    def for_nights(self, _for: Token, amount: p.Span, when: Token) -> tuple[p.Part, ...] | p.Part:
        if when.value not in {("NIGHT",), ("MORN",)} or not amount.valid:
            return UNCLEAR
        return p.Duration(amount.low, "d", amount.high)

    def short_duration(self, *tokens: Token) -> p.Part:
        value, unit = cast(tuple[Decimal, str], tokens[-1].value)
        return p.Duration(value, unit)

    def single(self, *tokens: Token) -> p.Part:
        return p.Count(1, now=True)

    def n_count(self, times: Token, *count: Token) -> p.Part:
        # "twice" without a period says neither how often nor how long.
        return p.Count(1, now=bool(count)) if times.value == 1 else UNCLEAR

    def x_count(self, _x: Token, number: Token) -> p.Part:
        return p.Count(1, now=True) if number.value == 1 else UNCLEAR

    def doses(self, _for: Token, number: Token, _doses: Token) -> p.Part:
        return _count(number)

    def single_x(self, _x: Token, number: Token, _count_token: Token) -> p.Part:
        return p.Count(1, now=True) if number.value == 1 else UNCLEAR

    def prn(self, _prn: Token) -> p.Part:
        return p.AsNeeded("")

    def word(self, token: Token) -> Token:
        return token

    def reason(self, *words: Token) -> str:
        """Return the reason as written; "" when a word of it may be misread directions."""
        joined = {"AND": "and", "OR": "or", "PER": "/"}
        content = [word for word in words if word.type not in joined]
        unknown = [word for word in content if word.type != "REASON"]
        # Adjectives may be anything, the thing itself must be known: "prn dally" is no reason.
        fine = (
            len(content) <= _LONGEST_REASON
            and words[0].type not in joined
            and words[-1].type == "REASON"
            and not any(may_be_misread(str(word.value)) for word in unknown)
        )
        text = " ".join(joined.get(w.type, str(w.value)) for w in words).replace(" / ", "/")
        return text if fine else ""

    def prn_reason(self, *items: Any) -> p.Part:
        return p.AsNeeded(items[-1]) if items[-1] else UNCLEAR

    def reason_prn(self, _for: Token, reason: str, _prn: Token) -> p.Part:
        return p.AsNeeded(reason) if reason else UNCLEAR

    def indication(self, _for: Token, reason: str) -> p.Part:
        return p.Instruction(f"for {reason}") if reason else UNCLEAR

    def window(self, *items: Token | p.Span) -> tuple[Decimal, str] | None:
        last = cast(Token, items[-1])
        if last.type == "ADV":
            _, period, unit = cast(tuple[int, Decimal, str], last.value)
            return period, unit
        amount = next((item for item in items if isinstance(item, p.Span)), p.Span(Decimal(1)))
        return (amount.low, str(last.value)) if amount.valid and amount.high is None else None

    def maximum(self, *items: Any) -> p.Part:
        amount: p.Span = next(item for item in items if isinstance(item, p.Span))
        window: tuple[Decimal, str] | None = items[-1]
        if window is None or not amount.valid or amount.high is not None:
            return UNCLEAR
        return p.Maximum(amount.low, _unit_of(items), *window)

    def daily_maximum(self, *items: Any) -> p.Part:
        amount: p.Span = next(item for item in items if isinstance(item, p.Span))
        if not amount.valid or amount.high is not None:
            return UNCLEAR
        return p.Maximum(amount.low, _unit_of(items), Decimal(1), "d")

    def grid(self, *tokens: Token) -> p.Part:
        doses = cast(tuple[Decimal, ...], next(t.value for t in tokens if t.type == "GRID"))
        unit = next((str(t.value) for t in tokens if t.type == "FORM"), None)
        return p.Grid(doses, unit) if any(doses) else UNCLEAR

    def route(self, token: Token) -> p.Part:
        return p.Route(token.value)

    def site(self, token: Token) -> p.Part:
        return p.Site(token.value)

    def instruction(self, token: Token) -> p.Part:
        return p.Instruction(token.value)

    def unclear(self, *_items: object) -> p.Part:
        return UNCLEAR


# Kinds whose words, one or two letters off, must not pass for a part of a reason.
_MEANT_KINDS = frozenset(
    {"FREQ", "ADV", "WHEN", "REL", "PERIOD", "NTIMES", "TIMES", "ROUTE", "PRN", "MAX", "EVERY",
     "FORM", "UNIT", "THEN", "DAY", "COUNT", "HOURLY", "FOR", "OTHER", "MEAL", "NUM", "HALF",
     "UPTO", "DOSES", "REASON"}
)  # fmt: skip


@lru_cache(maxsize=1)
def _meant_words() -> tuple[str, ...]:
    words = {
        word
        for phrase, (kind, _) in PHRASES.items()
        if kind in _MEANT_KINDS and (len(phrase) == 1 or kind == "REASON")
        for word in phrase
        if len(word) > 1
    }
    return tuple(sorted(words))


@lru_cache(maxsize=4096)
def may_be_misread(word: str) -> bool:
    """Whether an unknown word is so near a word of directions that it may be one misread."""
    if len(word) < 4:
        return True
    edits = 1 if len(word) < 6 else 2
    return any(OSA.distance(word, known, score_cutoff=edits) <= edits for known in _meant_words())


def _unit_of(items: tuple[Any, ...]) -> str | None:
    units = [i for i in items if isinstance(i, Token) and i.type in {"FORM", "UNIT", "DOSES"}]
    if units and units[0].type == "DOSES":
        return "{dose}"
    return str(units[0].value) if units else None


def _count(number: Token) -> p.Part:
    value = number_of(number)
    return p.Count(int(value)) if value > 0 and value % 1 == 0 else UNCLEAR
