"""Find the items of directions: the longest that the grammar knows at each place."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from clinic_hwr.prescriptions.numbers import plain
from clinic_hwr.prescriptions.sig import parts as p
from clinic_hwr.prescriptions.sig.tokens import SigToken
from clinic_hwr.prescriptions.sig.vocabulary import DOSE_UNITS, PERIOD_WORDS, WHEN_PLAIN

# An item never ends in one of these: they join it to what follows.
_JOINERS = frozenset({"AND", "OR", "PER", "TO", "DASH", "X", "AT", "ON"})

# More unknown words than this are a sentence, not a reason.
_LONGEST_REASON = 4

_UNCLEAR = p.Unclear()


def unit_words(amount: p.Span, unit: str | None) -> str:
    """Write an amount with its unit ("1 to 2 tablets")."""
    many = amount.high is not None or amount.low > 1
    words = plain(amount.low) + (f" to {plain(amount.high)}" if amount.high is not None else "")
    if unit is None:
        return words
    singular, plural, _ = DOSE_UNITS.get(unit, (unit, unit, ""))
    return f"{words} {plural if many else singular}"


@v_args(inline=True)
class _Parts(Transformer[Token, Any]):
    """Turns a parse into a part; what cannot be held exactly becomes ``Unclear``."""

    def start(self, part: p.Part) -> p.Part:
        return part

    def one(self, number: Token) -> p.Span:
        return p.Span(_number(number))

    def span(self, low: Token, _to: object, high: Token) -> p.Span:
        return p.Span(_number(low), _number(high))

    def amount(self, span: p.Span) -> p.Span:
        return span

    def to(self, _token: Token) -> None:
        return None

    # doses
    def bare_dose(self, amount: p.Span) -> p.Part:
        return p.Dose(amount) if amount.valid else _UNCLEAR

    def form_dose(self, amount: p.Span, form: Token, again: p.Dose | None = None) -> p.Part:
        if not amount.valid:
            return _UNCLEAR
        if again is None or again.unit is None:
            return p.Dose(amount, form.value)
        if again.unit.startswith(("{", "[")):
            return _UNCLEAR
        # "3 tablets (6 mg)": the amount of drug is the dose, the count says it again.
        return p.Dose(again.amount, again.unit, f"({unit_words(amount, form.value)})")

    def unit_dose(self, amount: p.Span, unit: Token, again: p.Dose | None = None) -> p.Part:
        if not amount.valid:
            return _UNCLEAR
        extra = f"({unit_words(again.amount, again.unit)})" if again else ""
        return p.Dose(amount, unit.value, extra)

    def paren(self, *inner: Token | p.Span) -> p.Dose:
        amount = next(item for item in inner if isinstance(item, p.Span))
        unit = next(i for i in inner if isinstance(i, Token) and i.type in {"UNIT", "FORM"})
        return p.Dose(amount, unit.value)

    def dose_by_weight(self, amount: p.Span, unit: Token, _per: Token, kg: Token) -> p.Part:
        return p.Dose(amount, f"{unit.value}/{kg.value}") if amount.valid else _UNCLEAR

    def multiplied(self, a: Token, _x: Token, b: Token, unit: Token, *_spoon: Token) -> p.Part:
        span = p.Span(_number(a) * _number(b))
        return p.Dose(span, unit.value) if span.valid else _UNCLEAR

    def spoonfuls(self, a: Token, b: Token, unit: Token, _spoon: Token) -> p.Part:
        span = p.Span(_number(a) * _number(b))
        return p.Dose(span, unit.value) if span.valid else _UNCLEAR

    def strength_dose(self, count: Token, size: Token, unit: Token, form: Token) -> p.Part:
        span = p.Span(_number(count))
        if not span.valid or span.low % Decimal("0.25"):
            return _UNCLEAR
        return p.Dose(span, form.value, f"({unit_words(p.Span(_number(size)), unit.value)} each)")

    def one_form(self, _a: Token, form: Token) -> p.Part:
        return p.Dose(p.Span(Decimal(1)), form.value)

    def half_form(self, half: Token, form: Token) -> p.Part:
        return p.Dose(p.Span(_number(half)), form.value)

    def half_a_form(self, half: Token, _a: Token, form: Token) -> p.Part:
        return p.Dose(p.Span(_number(half)), form.value)

    def half_dose(self, half: Token) -> p.Part:
        return p.Dose(p.Span(_number(half)))

    def each(self, *tokens: Token) -> str:
        return str(tokens[-1].value)

    def form_dose_each(self, amount: p.Span, form: Token, period: str) -> p.Part:
        return _dose_each(amount, form.value, period)

    def unit_dose_each(self, amount: p.Span, unit: Token, period: str) -> p.Part:
        return _dose_each(amount, unit.value, period)

    def one_form_each(self, _a: Token, form: Token, period: str) -> p.Part:
        return _dose_each(p.Span(Decimal(1)), form.value, period)

    # frequencies
    def fixed(self, token: Token) -> p.Part:
        times, period, unit = cast(tuple[int, Decimal, str], token.value)
        return p.Frequency(times, None, p.Span(period), unit)

    def every_one(self, _every: Token, period: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(Decimal(1)), period.value)

    def every(self, _every: Token, amount: p.Span, period: Token) -> p.Part:
        return p.Frequency(1, None, amount, period.value) if amount.valid else _UNCLEAR

    def every_other(self, _every: Token, _other: Token, period: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(Decimal(2)), period.value)

    def other(self, _other: Token, period: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(Decimal(2)), period.value)

    def every_nth(self, _every: Token, ordinal: Token, period: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(_number(ordinal)), period.value)

    def hourly(self, amount: p.Span, _hourly: Token) -> p.Part:
        return p.Frequency(1, None, amount, "h") if amount.valid else _UNCLEAR

    def each_hour(self, _hourly: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(Decimal(1)), "h")

    def n_times(self, token: Token) -> p.Span:
        return p.Span(Decimal(cast(int, token.value)))

    def n_to_n_times(self, low: Token, _to: object, high: Token) -> p.Span:
        return p.Span(Decimal(cast(int, low.value)), Decimal(cast(int, high.value)))

    def amount_times(self, amount: p.Span, _times: Token) -> p.Span:
        return amount

    def x_times(self, amount: Token | p.Span, _x: Token) -> p.Span:
        return amount if isinstance(amount, p.Span) else p.Span(_number(amount))

    def per(self, *items: Token | p.Span) -> tuple[p.Span, str]:
        last = items[-1]
        if isinstance(last, Token) and last.type == "ADV":
            _, period, unit = cast(tuple[int, Decimal, str], last.value)
            return p.Span(period), unit
        amount = next((item for item in items if isinstance(item, p.Span)), p.Span(Decimal(1)))
        return amount, str(cast(Token, last).value)

    def per_other(self, *items: Token) -> tuple[p.Span, str]:
        return p.Span(Decimal(2)), str(items[-1].value)

    def times_per(self, times: p.Span, per: tuple[p.Span, str]) -> p.Part:
        return _frequency(times.low, times.high, per)

    def up_to_times_per(self, _upto: Token, times: p.Span, per: tuple[p.Span, str]) -> p.Part:
        return _frequency(None, times.high or times.low, per)

    def up_to_fixed(self, _upto: Token, token: Token) -> p.Part:
        times, period, unit = cast(tuple[int, Decimal, str], token.value)
        return p.Frequency(None, times, p.Span(period), unit)

    # moments
    def when(self, token: Token) -> p.Part:
        return p.When(cast(tuple[str, ...], token.value))

    def offset_when(self, amount: p.Span, period: Token, rel: Token) -> p.Part:
        codes = cast(tuple[str, ...], rel.value)
        if not amount.valid or period.value not in {"min", "h"}:
            return _UNCLEAR
        word = PERIOD_WORDS[period.value]
        many = "s" if amount.high is not None or amount.low != 1 else ""
        return p.When(codes, f"{unit_words(amount, None)} {word}{many} {WHEN_PLAIN[codes[0]]}")

    def clock(self, *tokens: Token) -> p.Part:
        return p.Clock(tokens[-1].value)

    def day(self, *tokens: Token) -> tuple[p.Part, ...]:
        return (p.Day(tokens[-1].value),)

    def mwf(self, *tokens: Token) -> tuple[p.Part, ...]:
        return tuple(p.Day(code) for code in cast(tuple[str, ...], tokens[-1].value))

    # limits
    def duration(self, *items: Token | p.Span) -> p.Part:
        amount = next(item for item in items if isinstance(item, p.Span))
        unit = str(cast(Token, items[-1]).value)
        if not amount.valid or (len(items) == 2 and unit in {"min", "h"}):
            return _UNCLEAR
        return p.Duration(amount.high or amount.low, unit, vague=amount.high is not None)

    def for_one(self, *items: Token) -> p.Part:
        return p.Duration(Decimal(1), str(items[-1].value))

    def for_up_to(self, *items: Token | p.Span) -> p.Part:
        amount = next(item for item in items if isinstance(item, p.Span))
        if not amount.valid:
            return _UNCLEAR
        unit = str(cast(Token, items[-1]).value)
        return p.Duration(amount.high or amount.low, unit, vague=True)

    def short_duration(self, *tokens: Token) -> p.Part:
        value, unit = cast(tuple[Decimal, str], tokens[-1].value)
        return p.Duration(value, unit)

    def single(self, *_tokens: Token) -> p.Part:
        return p.Count(1)

    def n_count(self, times: Token, *_count: Token) -> p.Part:
        # "twice" without a period says neither how often nor how long.
        return p.Count(1) if times.value == 1 else _UNCLEAR

    def doses(self, _for: Token, number: Token, _doses: Token) -> p.Part:
        return _count(number)

    def single_x(self, _x: Token, number: Token, _count_token: Token) -> p.Part:
        return _count(number) if number.value == 1 else _UNCLEAR

    def prn(self, _prn: Token) -> p.Part:
        return p.AsNeeded("")

    def word(self, token: Token) -> Token:
        return token

    def reason(self, *words: Token) -> tuple[str, bool, bool]:
        """(words, all known, any known); joined as written."""
        joined = {"AND": "and", "OR": "or", "PER": "/"}
        text = " ".join(joined.get(w.type, str(w.value)) for w in words).replace(" / ", "/")
        content = [w for w in words if w.type not in joined]
        known = [w.type == "REASON" for w in content]
        fine = len(content) <= _LONGEST_REASON and words[0].type not in joined
        return text, fine, any(known)

    def prn_reason(self, *items: Any) -> p.Part:
        text, fine, _ = items[-1]
        return p.AsNeeded(text) if fine else _UNCLEAR

    def reason_prn(self, _for: Token, reason: tuple[str, bool, bool], _prn: Token) -> p.Part:
        return p.AsNeeded(reason[0]) if reason[1] else _UNCLEAR

    def indication(self, _for: Token, reason: tuple[str, bool, bool]) -> p.Part:
        text, fine, known = reason
        return p.Instruction(f"for {text}") if fine and known else _UNCLEAR

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
            return _UNCLEAR
        return p.Maximum(amount.low, _unit_of(items), *window)

    def daily_maximum(self, *items: Any) -> p.Part:
        amount: p.Span = next(item for item in items if isinstance(item, p.Span))
        if not amount.valid or amount.high is not None:
            return _UNCLEAR
        return p.Maximum(amount.low, _unit_of(items), Decimal(1), "d")

    def grid(self, grid: Token, form: Token | None = None) -> p.Part:
        doses = cast(tuple[Decimal, ...], grid.value)
        unit = str(form.value) if form is not None else None
        return p.Grid(doses, unit) if any(doses) else _UNCLEAR

    def route(self, token: Token) -> p.Part:
        return p.Route(token.value)

    def site(self, token: Token) -> p.Part:
        return p.Site(token.value)

    def instruction(self, token: Token) -> p.Part:
        return p.Instruction(token.value)

    def unclear(self, *_items: object) -> p.Part:
        return _UNCLEAR


def _number(token: Token) -> Decimal:
    return cast(Decimal, token.value)


def _unit_of(items: tuple[Any, ...]) -> str | None:
    units = [i for i in items if isinstance(i, Token) and i.type in {"FORM", "UNIT"}]
    return str(units[0].value) if units else None


def _count(number: Token) -> p.Part:
    value = _number(number)
    return p.Count(int(value)) if value > 0 and value % 1 == 0 else _UNCLEAR


def _dose_each(amount: p.Span, unit: str, period: str) -> p.Part:
    # "50 mL/hour" is a rate, which a dose cannot hold.
    if period in {"h", "min"} or not amount.valid:
        return _UNCLEAR
    return p.DoseEach(p.Dose(amount, unit), p.Frequency(1, None, p.Span(Decimal(1)), period))


def _frequency(times: Decimal | None, most: Decimal | None, per: tuple[p.Span, str]) -> p.Part:
    whole = all(number is None or (number > 0 and number % 1 == 0) for number in (times, most))
    rising = times is None or most is None or most > times
    if not whole or not rising or not per[0].valid:
        return _UNCLEAR
    low = int(times) if times is not None else None
    high = int(most) if most is not None else None
    return p.Frequency(low, high, per[0], per[1])


@lru_cache(maxsize=1)
def _parser() -> Lark:
    source = (resources.files("clinic_hwr.prescriptions.sig") / "sig.lark").read_text("utf-8")
    # The lexer is never used: tokens are fed one by one to find the longest item.
    return Lark(
        source, parser="lalr", lexer="basic", transformer=_Parts(), maybe_placeholders=False
    )


def longest_item(tokens: list[SigToken]) -> tuple[tuple[p.Part, ...], int]:
    """Return the parts of the longest item at the front of ``tokens`` and how many it takes.

    (), 0 when no item starts here.
    """
    cursor: InteractiveParser = _parser().parse_interactive()
    best: tuple[tuple[p.Part, ...], int] = ((), 0)
    for index, token in enumerate(tokens):
        try:
            cursor.feed_token(_token(token))
        except UnexpectedToken:
            break
        if token.kind in _JOINERS:
            continue
        probe = cursor.copy(deepcopy_values=False)  # type: ignore[no-untyped-call]
        try:
            result = probe.feed_eof()
        except UnexpectedToken:
            continue
        best = (result if isinstance(result, tuple) else (result,)), index + 1
    return best


def _token(token: SigToken) -> Token:
    # lark types a token's value as text; its own classes pass any value through unchanged.
    made = Token(token.kind, "")
    made.value = token.value
    return made
