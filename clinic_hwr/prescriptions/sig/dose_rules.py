"""Rules of doses: what the grammar finds of amounts becomes a dose, or stays unclear."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from lark import Token, Transformer, v_args

from clinic_hwr.prescriptions.sig import parts as p
from clinic_hwr.prescriptions.sig.rule_words import UNCLEAR, form_word, number_of, unit_words
from clinic_hwr.prescriptions.units import to_base

# "tab 1 bd" counts tablets; a larger number behind a form is more likely a strength.
_SURE_COUNTS = frozenset({Decimal("0.5"), Decimal(1)})
_HEAVIEST_PIECE_G = Decimal(2)  # no tablet weighs more


@v_args(inline=True)
class DoseRules(Transformer[Token, Any]):
    """Methods are named after the rules of ``sig.lark``."""

    def bare_dose(self, amount: p.Span) -> p.Part:
        return p.Dose(amount) if amount.valid else UNCLEAR

    def form_dose(self, amount: p.Span, form: Token, again: p.Dose | None = None) -> p.Part:
        if not amount.valid:
            return UNCLEAR
        if again is None or again.unit is None:
            return p.Dose(amount, form.value)
        if again.unit.startswith(("{", "[")):
            return UNCLEAR
        # "3 tablets (6 mg)": the amount of drug is the dose, the count says it again.
        return p.Dose(again.amount, again.unit, f"({unit_words(amount, form.value)})")

    def unit_dose(self, amount: p.Span, unit: Token, again: p.Dose | None = None) -> p.Part:
        if not amount.valid:
            return UNCLEAR
        extra = f"({unit_words(again.amount, again.unit)})" if again else ""
        return p.Dose(amount, unit.value, extra)

    def paren(self, *inner: Token | p.Span) -> p.Dose:
        amount = next(item for item in inner if isinstance(item, p.Span))
        unit = next(i for i in inner if isinstance(i, Token) and i.type in {"UNIT", "FORM"})
        return p.Dose(amount, unit.value)

    def unit_range(self, low: p.Span, a: Token, _to: object, high: p.Span, b: Token) -> p.Part:
        """ "500 mg to 1 g": brought to the first unit."""
        if low.high is not None or high.high is not None:
            return UNCLEAR
        first, base = to_base(Decimal(1), a.value)
        last, other = to_base(high.low, b.value)
        if base != other:
            return UNCLEAR
        span = p.Span(low.low, last / first)
        return p.Dose(span, a.value) if span.valid else UNCLEAR

    def form_range(self, low: p.Span, a: Token, _to: object, high: p.Span, b: Token) -> p.Part:
        if a.value != b.value or low.high is not None or high.high is not None:
            return UNCLEAR
        span = p.Span(low.low, high.low)
        return p.Dose(span, a.value) if span.valid else UNCLEAR

    def form_first(self, form: Token, amount: p.Span) -> p.Part:
        # "tab 1 bd" counts tablets; "tab 5 bd" is more likely a strength.
        drops = form.value in {"[drp]", "{puff}", "{spray}"}
        sure = form.value.startswith("{") and amount.low in _SURE_COUNTS
        sure = amount.high is None and (sure or (drops and amount.valid))
        return p.Dose(amount, form.value) if sure else UNCLEAR

    def form_first_again(self, _form: Token, amount: p.Span, unit: Token) -> p.Part:
        return p.Dose(amount, unit.value) if amount.valid else UNCLEAR

    def form_and_half(self, amount: p.Span, form: Token, *rest: Token) -> p.Part:
        span = p.Span(amount.low + number_of(rest[-1]))
        return p.Dose(span, form.value) if amount.high is None and amount.valid else UNCLEAR

    def bare_each(self, amount: p.Span, _a: Token, period: Token) -> p.Part:
        return _dose_each(amount, None, period.value)

    def measured(self, amount: p.Span, measure: Token) -> p.Part:
        size = cast(Decimal, measure.value)
        high = amount.high * size if amount.high is not None else None
        return p.Dose(p.Span(amount.low * size, high), "mL") if amount.valid else UNCLEAR

    def half_measure(self, half: Token, measure: Token) -> p.Part:
        return p.Dose(p.Span(number_of(half) * cast(Decimal, measure.value)), "mL")

    def counted_doses(self, amount: p.Span, _doses: Token) -> p.Part:
        return p.Dose(amount, "{dose}") if amount.valid else UNCLEAR

    def strength_paren(self, *items: Token | p.Span) -> str:
        amount = next(item for item in items if isinstance(item, p.Span))
        unit = next(i for i in items if isinstance(i, Token) and i.type == "UNIT")
        return f"({unit_words(amount, unit.value)} each)"

    def form_dose_of(self, amount: p.Span, form: Token, strength: str) -> p.Part:
        return p.Dose(amount, form.value, strength) if amount.valid else UNCLEAR

    def composed(self, count: p.Span, size: p.Span, unit: Token, form: Token) -> p.Dose:
        one = p.Span(count.low * size.low) if count.high is None and size.high is None else None
        words = f"{unit_words(count, None)} {unit_words(size, unit.value)} {form_word(form.value)}"
        return p.Dose(one or p.Span(Decimal(-1)), unit.value, words)

    def unit_dose_composed(self, amount: p.Span, unit: Token, *items: Token | p.Dose) -> p.Part:
        """ "7 mg (one 5 mg tablet plus one 2 mg tablet)": accepted when the parts add up."""
        parts = [item for item in items if isinstance(item, p.Dose)]
        total = sum((part.amount.low for part in parts), Decimal(0))
        same = all(part.unit == unit.value for part in parts)
        if amount.high is not None or not same or total != amount.low:
            return UNCLEAR
        return p.Dose(amount, unit.value, f"({' plus '.join(part.extra for part in parts)})")

    def dose_by_weight(self, amount: p.Span, unit: Token, _per: Token, kg: Token) -> p.Part:
        return p.Dose(amount, f"{unit.value}/{kg.value}") if amount.valid else UNCLEAR

    def multiplied(self, a: Token, _x: Token, b: Token, unit: Token, *_spoon: Token) -> p.Part:
        span = p.Span(number_of(a) * number_of(b))
        return p.Dose(span, unit.value) if span.valid else UNCLEAR

    def spoonfuls(self, a: Token, b: Token, unit: Token, _spoon: Token) -> p.Part:
        span = p.Span(number_of(a) * number_of(b))
        return p.Dose(span, unit.value) if span.valid else UNCLEAR

    def form_of_strength(self, count: p.Span, form: Token, size: p.Span, unit: Token) -> p.Part:
        """ "1 tab 500 mg": the amount behind a counted form is its strength."""
        grams = unit.value == "g" and size.low > _HEAVIEST_PIECE_G
        if not form.value.startswith("{") or size.high is not None or grams:
            return UNCLEAR
        words = f"({unit_words(size, unit.value)} each)"
        return p.Dose(count, form.value, words) if count.valid and size.valid else UNCLEAR

    def strength_dose(self, *items: Token) -> p.Part:
        count, size, unit, form = (item for item in items if item.type != "X")
        span = p.Span(number_of(count))
        grams = unit.value == "g" and number_of(size) > _HEAVIEST_PIECE_G
        if not span.valid or span.low % Decimal("0.25") or grams:
            return UNCLEAR
        return p.Dose(span, form.value, f"({unit_words(p.Span(number_of(size)), unit.value)} each)")

    def one_form(self, _a: Token, form: Token) -> p.Part:
        return p.Dose(p.Span(Decimal(1)), form.value)

    def half_form(self, half: Token, form: Token) -> p.Part:
        return p.Dose(p.Span(number_of(half)), form.value)

    def half_a_form(self, half: Token, _a: Token, form: Token) -> p.Part:
        return p.Dose(p.Span(number_of(half)), form.value)

    def half_dose(self, half: Token) -> p.Part:
        return p.Dose(p.Span(number_of(half)))

    def each(self, *tokens: Token) -> str:
        return str(tokens[-1].value)

    def form_dose_each(self, amount: p.Span, form: Token, period: str) -> p.Part:
        return _dose_each(amount, form.value, period)

    def unit_dose_each(self, amount: p.Span, unit: Token, period: str) -> p.Part:
        return _dose_each(amount, unit.value, period)

    def one_form_each(self, _a: Token, form: Token, period: str) -> p.Part:
        return _dose_each(p.Span(Decimal(1)), form.value, period)


def _dose_each(amount: p.Span, unit: str | None, period: str) -> p.Part:
    # "50 mL/hour" is a rate, which a dose cannot hold.
    if period in {"h", "min"} or not amount.valid:
        return UNCLEAR
    return p.DoseEach(p.Dose(amount, unit), p.Frequency(1, None, p.Span(Decimal(1)), period))
