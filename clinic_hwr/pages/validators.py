"""Rules that the value of a region must keep: they raise doubts, and never change a value."""

from __future__ import annotations

import re
import re._constants as _sre
import re._parser as _sre_parser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_CHARS = 80
"""Values longer than this are only asked whether they are there: patterns look at short values."""
_MOST_REPEATS = 3


class BadValidator(ValueError):
    """A rule that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a rule says against a value.

    Attributes:
        rule: name of the rule.
        message: a sentence for the reviewer. It never repeats the value: it may be a patient's.
    """

    rule: str
    message: str


Check = Callable[[str, Mapping[str, Any], bool, date], str]
"""(value, options, day first, today) -> what is wrong, or ""."""

_CHECKS: dict[str, Check] = {}
_OPTIONS: dict[str, frozenset[str]] = {}


def _rule(name: str, *options: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        _CHECKS[name] = check
        _OPTIONS[name] = frozenset(options)
        return check

    return register


@dataclass(frozen=True, slots=True)
class Validator:
    """One rule with its options; made by ``validator_from_json`` only, which checks them."""

    rule: str
    options: tuple[tuple[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, as ``validator_from_json`` reads them."""
        return {"rule": self.rule, **{name: _listed(value) for name, value in self.options}}

    def doubt(self, value: str, *, day_first: bool, today: date) -> Doubt | None:
        """What this rule says against a value; None when it keeps it."""
        text = value.strip()
        if self.rule != "required" and (not text or len(text) > MOST_CHARS):
            return None
        message = _CHECKS[self.rule](text, dict(self.options), day_first, today)
        return Doubt(self.rule, message) if message else None


def doubts(
    validators: Sequence[Validator], value: str, *, day_first: bool, today: date
) -> tuple[Doubt, ...]:
    """Return what the rules of a region say against a value.

    Args:
        validators: of the region.
        value: as read or decided; "" when nothing is there.
        day_first: whether 03/04 is 3 April.
        today: the date that "today" in a range means.
    """
    found = (rule.doubt(value, day_first=day_first, today=today) for rule in validators)
    return tuple(doubt for doubt in found if doubt is not None)


def validator_from_json(data: Mapping[str, Any]) -> Validator:
    """Read one rule.

    Raises:
        BadValidator: an unknown rule or option, or an option that cannot be used.
    """
    rule = data.get("rule")
    if rule not in _CHECKS:
        raise BadValidator(f"unknown rule {rule!r}; choose one of {', '.join(sorted(_CHECKS))}")
    options = {name: value for name, value in data.items() if name != "rule" and value != ""}
    unknown = set(options) - _OPTIONS[rule]
    if unknown:
        raise BadValidator(f"{rule}: unknown option {', '.join(sorted(unknown))}")
    return Validator(rule, tuple(sorted(_CLEANERS[rule](options).items())))


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@_rule("required")
def _required(value: str, options: Mapping[str, Any], day_first: bool, today: date) -> str:
    return "" if value else "This form requires a value here."


@_rule("pattern", "pattern", "hint")
def _pattern(value: str, options: Mapping[str, Any], day_first: bool, today: date) -> str:
    if re.fullmatch(options["pattern"], value):
        return ""
    return f"Does not look as it should: {options.get('hint') or 'another pattern is expected'}."


@_rule("date_range", "earliest", "latest")
def _date_range(value: str, options: Mapping[str, Any], day_first: bool, today: date) -> str:
    said = _read_date(value, day_first, today)
    if said is None:
        return "Is not a whole date."
    earliest, latest = options.get("earliest"), options.get("latest")
    if earliest is not None and said < _moment(earliest, today):
        return f"Is before the earliest date this form takes ({earliest})."
    if latest is not None and said > _moment(latest, today):
        return f"Is after the latest date this form takes ({latest})."
    return ""


@_rule("number_range", "least", "most")
def _number_range(value: str, options: Mapping[str, Any], day_first: bool, today: date) -> str:
    try:
        number = Decimal(value.lstrip("#").replace(",", ".").strip())
    except InvalidOperation:
        return "Is not a number."
    if "least" in options and number < Decimal(options["least"]):
        return f"Is less than {options['least']}."
    if "most" in options and number > Decimal(options["most"]):
        return f"Is more than {options['most']}."
    return ""


@_rule("check_digit", "scheme")
def _check_digit(value: str, options: Mapping[str, Any], day_first: bool, today: date) -> str:
    packed = re.sub(r"[\s./-]", "", value).upper()
    return "" if _SCHEMES[options["scheme"]](packed) else "Its check digit does not fit."


@_rule("one_of", "values")
def _one_of(value: str, options: Mapping[str, Any], day_first: bool, today: date) -> str:
    allowed = {str(one).casefold() for one in options["values"]}
    return "" if value.casefold() in allowed else "Is none of the values this form takes."


def _luhn(digits: str) -> bool:
    if not digits.isascii() or not digits.isdigit() or len(digits) < 2:
        return False
    total = 0
    for place, char in enumerate(reversed(digits)):
        part = int(char) * (2 if place % 2 else 1)
        total += part - 9 if part > 9 else part
    return total % 10 == 0


def _npi(text: str) -> bool:
    """CMS: ten digits, Luhn over the prefix 80840."""
    return len(text) == 10 and _luhn("80840" + text)


def _dea(text: str) -> bool:
    """21 CFR 1301: two letters (or a letter and 9) and seven digits, the last a check digit."""
    if not re.fullmatch(r"[A-Z][A-Z9][0-9]{7}", text):
        return False
    digits = [int(char) for char in text[2:]]
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


def _nhs(text: str) -> bool:
    """NHS number: ten digits, weights 10 to 2, modulo 11."""
    if not re.fullmatch(r"[0-9]{10}", text):
        return False
    total = sum(int(char) * weight for char, weight in zip(text, range(10, 1, -1), strict=False))
    return (11 - total % 11) % 11 == int(text[9])


def _mod97(text: str) -> bool:
    """ISO 7064 MOD 97-10: the number modulo 97 is 1."""
    if not re.fullmatch(r"[0-9A-Z]{3,34}", text):
        return False
    return int("".join(str(int(char, 36)) for char in text)) % 97 == 1


_SCHEMES: dict[str, Callable[[str], bool]] = {
    "luhn": _luhn,
    "npi": _npi,
    "dea": _dea,
    "nhs": _nhs,
    "mod97": _mod97,
}
CHECK_DIGITS = tuple(sorted(_SCHEMES))
"""Names of the check digits a region can ask for."""


def _read_date(text: str, day_first: bool, today: date) -> date | None:
    """A date in digits; two-digit years are the last hundred years and the next ten."""
    parts = re.split(r"[\s./-]+", text.strip())
    if len(parts) == 1 and re.fullmatch(r"[0-9]{8}|[0-9]{6}", parts[0]):
        parts = [parts[0][:2], parts[0][2:4], parts[0][4:]]
    if len(parts) != 3 or not all(re.fullmatch(r"[0-9]{1,4}", part) for part in parts):
        return None
    if len(parts[0]) == 4:
        year, month, day = (int(part) for part in parts)
    else:
        first, second, year = (int(part) for part in parts)
        day, month = (first, second) if day_first else (second, first)
        if len(parts[2]) == 2:
            year += 100 * ((today.year + 10 - year) // 100)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _moment(text: str, today: date) -> date:
    """``today``, ``today-30`` (days) or an ISO date."""
    found = re.fullmatch(r"today([+-][0-9]{1,5})?", text)
    if found:
        return today + timedelta(days=int(found[1] or 0))
    return date.fromisoformat(text)


def _clean_nothing(options: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _clean_pattern(options: Mapping[str, Any]) -> dict[str, Any]:
    pattern, hint = options.get("pattern"), options.get("hint", "")
    if not isinstance(pattern, str) or not 0 < len(pattern) <= 200:
        raise BadValidator("pattern: give a pattern of at most 200 characters")
    if not isinstance(hint, str) or len(hint) > 100:
        raise BadValidator("pattern: the hint has at most 100 characters")
    try:
        parsed = _sre_parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadValidator(f"pattern: {error}") from error
    if _repeats(parsed, inside=False) > _MOST_REPEATS:
        raise BadValidator(f"pattern: at most {_MOST_REPEATS} open repeats, it may take too long")
    return {"pattern": pattern, **({"hint": hint} if hint else {})}


def _repeats(parsed: Any, *, inside: bool) -> int:
    """Count the repeats of a pattern; nested ones and references can take for ever to match."""
    count = 0
    for operator, argument in parsed:
        if operator in (_sre.MAX_REPEAT, _sre.MIN_REPEAT, _sre.POSSESSIVE_REPEAT):
            low, high, body = argument
            varies = high != low
            if varies and inside:
                raise BadValidator("pattern: a repeat inside of a repeat may take too long")
            count += int(varies) + _repeats(body, inside=inside or high > 1)
        elif operator is _sre.BRANCH:
            if inside:
                raise BadValidator("pattern: a choice inside of a repeat may take too long")
            count += sum(_repeats(body, inside=inside) for body in argument[1])
        elif operator is _sre.SUBPATTERN:
            count += _repeats(argument[3], inside=inside)
        elif operator not in (_sre.LITERAL, _sre.NOT_LITERAL, _sre.IN, _sre.ANY, _sre.AT):
            raise BadValidator("pattern: references and look-around are not supported")
    return count


def _clean_dates(options: Mapping[str, Any]) -> dict[str, Any]:
    for value in options.values():
        try:
            if not isinstance(value, str):
                raise ValueError
            _moment(value, date(2000, 1, 1))
        except (ValueError, OverflowError) as error:
            raise BadValidator(
                f"date_range: {value!r} is neither a date as 2026-11-26 nor today, today-30"
            ) from error
    if not options:
        raise BadValidator("date_range: give an earliest or a latest date")
    return dict(options)


def _clean_numbers(options: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = {}
    for name, value in options.items():
        try:
            number = Decimal(str(value))
        except InvalidOperation as error:
            raise BadValidator(f"number_range: {value!r} is not a number") from error
        if not number.is_finite() or abs(number) > 10**9:
            raise BadValidator(f"number_range: {value!r} is out of range")
        cleaned[name] = str(value)
    if not cleaned:
        raise BadValidator("number_range: give a least or a most")
    return cleaned


def _clean_scheme(options: Mapping[str, Any]) -> dict[str, Any]:
    if options.get("scheme") not in _SCHEMES:
        raise BadValidator(f"check_digit: choose one of {', '.join(CHECK_DIGITS)}")
    return dict(options)


def _clean_values(options: Mapping[str, Any]) -> dict[str, Any]:
    values = options.get("values")
    if isinstance(values, str):
        values = [part.strip() for part in values.split(",")]
    if not isinstance(values, (list, tuple)) or not 0 < len(values) <= 100:
        raise BadValidator("one_of: give one to a hundred values")
    cleaned = tuple(value for value in values if isinstance(value, str) and 0 < len(value) <= 60)
    if len(cleaned) != len(values):
        raise BadValidator("one_of: a value has 1 to 60 characters")
    return {"values": cleaned}


_CLEANERS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "required": _clean_nothing,
    "pattern": _clean_pattern,
    "date_range": _clean_dates,
    "number_range": _clean_numbers,
    "check_digit": _clean_scheme,
    "one_of": _clean_values,
}
RULES: dict[str, frozenset[str]] = _OPTIONS
"""Every rule with the names of its options."""
