"""Rules of timing: frequencies, moments and times of the day, days of the week."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from lark import Token, Transformer, v_args

from clinic_hwr.prescriptions.sig import parts as p
from clinic_hwr.prescriptions.sig.rule_words import UNCLEAR, frequency_of, number_of

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@v_args(inline=True)
class TimingRules(Transformer[Token, Any]):
    """Methods are named after the rules of ``sig.lark``."""

    def fixed_range(self, low: Token, _to: object, high: Token) -> p.Part:
        first, period, unit = cast(tuple[int, Decimal, str], low.value)
        last, other_period, other_unit = cast(tuple[int, Decimal, str], high.value)
        if (period, unit) != (other_period, other_unit) or last <= first:
            return UNCLEAR
        return p.Frequency(first, last, p.Span(period), unit)

    def adv_times(self, adv: Token, times: Token | p.Span, _times: Token | None = None) -> p.Part:
        one, period, unit = cast(tuple[int, Decimal, str], adv.value)
        span = times if isinstance(times, p.Span) else p.Span(Decimal(cast(int, times.value)))
        return frequency_of(span.low, span.high, (p.Span(period), unit)) if one == 1 else UNCLEAR

    def times_alone(self, times: p.Span, _times: Token) -> p.Part:
        high = int(times.high) if times.high is not None else None
        whole = times.valid and times.low % 1 == 0 and (times.high or Decimal(0)) % 1 == 0
        return p.Times(int(times.low), high) if whole else UNCLEAR

    def per_alone(self, _per: Token, period: Token) -> p.Part:
        if period.value in {"h", "min"}:
            return UNCLEAR
        return p.Frequency(1, None, p.Span(Decimal(1)), period.value, amount_of_period=True)

    def times_x(self, _x: Token, amount: Token | p.Span) -> p.Span:
        return amount if isinstance(amount, p.Span) else p.Span(number_of(amount))

    def fixed(self, token: Token) -> p.Part:
        times, period, unit = cast(tuple[int, Decimal, str], token.value)
        return p.Frequency(times, None, p.Span(period), unit)

    def every_one(self, _every: Token, period: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(Decimal(1)), period.value, each=True)

    def every(self, _every: Token, amount: p.Span, period: Token) -> p.Part:
        whole = amount.low % 1 == 0 and (amount.high or Decimal(0)) % 1 == 0
        return p.Frequency(1, None, amount, period.value) if amount.valid and whole else UNCLEAR

    def every_other(self, _every: Token, _other: Token, period: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(Decimal(2)), period.value)

    def other(self, _other: Token, period: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(Decimal(2)), period.value)

    def every_nth(self, _every: Token, ordinal: Token, period: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(number_of(ordinal)), period.value)

    def hourly(self, amount: p.Span, _hourly: Token) -> p.Part:
        return p.Frequency(1, None, amount, "h") if amount.valid else UNCLEAR

    def each_hour(self, _hourly: Token) -> p.Part:
        return p.Frequency(1, None, p.Span(Decimal(1)), "h")

    def n_times(self, token: Token) -> p.Span:
        return p.Span(Decimal(cast(int, token.value)))

    def n_to_n_times(self, low: Token, _to: object, high: Token) -> p.Span:
        return p.Span(Decimal(cast(int, low.value)), Decimal(cast(int, high.value)))

    def amount_times(self, amount: p.Span, _times: Token) -> p.Span:
        return amount

    def x_times(self, amount: Token | p.Span, _x: Token) -> p.Span:
        return amount if isinstance(amount, p.Span) else p.Span(number_of(amount))

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
        return frequency_of(times.low, times.high, per)

    def up_to_times_per(self, _upto: Token, times: p.Span, per: tuple[p.Span, str]) -> p.Part:
        return frequency_of(None, times.high or times.low, per)

    def up_to_fixed(self, _upto: Token, token: Token) -> p.Part:
        times, period, unit = cast(tuple[int, Decimal, str], token.value)
        return p.Frequency(None, times, p.Span(period), unit)

    def when(self, token: Token) -> p.Part:
        return p.When(cast(tuple[str, ...], token.value))

    def offset_when(self, amount: p.Span, period: Token, rel: Token) -> p.Part:
        codes = cast(tuple[str, ...], rel.value)
        minutes = amount.low * (60 if period.value == "h" else 1)
        whole = amount.high is None and amount.valid and minutes % 1 == 0
        if not whole or period.value not in {"min", "h"}:
            return UNCLEAR
        return p.When(codes, int(minutes))

    def offset_hour(self, _a: Token, period: Token, rel: Token) -> p.Part:
        codes = cast(tuple[str, ...], rel.value)
        return p.When(codes, 60) if period.value == "h" else UNCLEAR

    def clock(self, *tokens: Token) -> p.Part:
        return p.Clock(tokens[-1].value)

    def day(self, *tokens: Token) -> tuple[p.Part, ...]:
        return (p.Day(tokens[-1].value),)

    def day_span(self, *tokens: Token | None) -> tuple[p.Part, ...]:
        first, last = (t for t in tokens if isinstance(t, Token) and t.type == "DAY")
        return tuple(p.Day(code) for code in _days(first.value, last.value))

    def day_dashes(self, *tokens: Token) -> p.Part | tuple[p.Part, ...]:
        codes = [str(t.value) for t in tokens if t.type == "DAY"]
        if len(codes) > 2:  # "Mon-Wed-Fri"
            return tuple(p.Day(code) for code in codes)
        # "Mon-Fri" is a span; "Mon-Thu" may be two days of the week.
        span = _days(codes[0], codes[1])
        if len(span) not in {2, 5, 6, 7}:
            return UNCLEAR
        return tuple(p.Day(code) for code in span)

    def day_list(self, *tokens: Token) -> tuple[p.Part, ...]:
        return tuple(p.Day(str(token.value)) for token in tokens if token.type == "DAY")

    def other_when(self, _every: Token, _other: Token, when: Token) -> tuple[p.Part, ...] | p.Part:
        """ "Every other night"."""
        codes = cast(tuple[str, ...], when.value)
        if len(codes) != 1:
            return UNCLEAR
        return p.Frequency(1, None, p.Span(Decimal(2)), "d"), p.When(codes)

    def mwf(self, *tokens: Token) -> tuple[p.Part, ...]:
        return tuple(p.Day(code) for code in cast(tuple[str, ...], tokens[-1].value))


def _days(first: str, last: str) -> tuple[str, ...]:
    """Return the days from one to another, both included; over Sunday when need be."""
    start, end = _WEEK.index(first), _WEEK.index(last)
    return tuple(_WEEK[day % 7] for day in range(start, end + 1 if end >= start else end + 8))
