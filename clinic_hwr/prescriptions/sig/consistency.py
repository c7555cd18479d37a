"""What does not go together in one dosage: the marks that one misread word leaves behind.

"1 tab OD" read as "1 tab OU" gives a tablet for the eyes, "q3w" without its q a duration without a
frequency. Such a dosage is kept and reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from clinic_hwr.prescriptions.routes import ROUTE_PLAIN, site_route
from clinic_hwr.prescriptions.sig.tokens import SigToken
from clinic_hwr.prescriptions.types import Dosage
from clinic_hwr.prescriptions.units import to_base

_ORAL, _SUBLINGUAL, _BUCCAL, _RECTAL, _VAGINAL, _TUBE = (
    "26643006", "37839007", "54471007", "37161004", "16857009", "127492001",
)  # fmt: skip
_IV, _IM, _SC, _INHALED = "47625008", "78421000", "34206005", "447694001"
_NOSE, _EYE, _EAR, _SKIN, _THROUGH_SKIN = (
    "46713006", "54485002", "10547007", "6064005", "45890007",
)  # fmt: skip
_SWALLOWED = frozenset({_ORAL, _SUBLINGUAL, _BUCCAL, _VAGINAL, _TUBE})
_INJECTED = frozenset({_IV, _IM, _SC})

ROUTES_OF_UNIT: dict[str, frozenset[str]] = {
    "{tablet}": _SWALLOWED,
    "{capsule}": _SWALLOWED | {_INHALED},
    "{lozenge}": _SWALLOWED,
    "{film}": _SWALLOWED,
    "{packet}": _SWALLOWED | {_SKIN},
    "[tsp_us]": _SWALLOWED,
    "[tbs_us]": _SWALLOWED,
    "{capful}": _SWALLOWED,
    "{scoop}": _SWALLOWED,
    "[drp]": frozenset({_EYE, _EAR, _NOSE, _ORAL, _SUBLINGUAL, _BUCCAL, _TUBE, _SKIN}),
    "{puff}": frozenset({_INHALED, _NOSE, _ORAL, _BUCCAL, _SUBLINGUAL}),
    "{spray}": frozenset({_NOSE, _SUBLINGUAL, _ORAL, _SKIN, _BUCCAL, _INHALED}),
    "{patch}": frozenset({_THROUGH_SKIN, _SKIN}),
    "{suppository}": frozenset({_RECTAL, _VAGINAL}),
    "{pessary}": frozenset({_VAGINAL}),
    "{enema}": frozenset({_RECTAL}),
    "{applicator}": frozenset({_VAGINAL, _RECTAL, _SKIN}),
    "{injection}": _INJECTED | {_SKIN, _THROUGH_SKIN},
    "{syringe}": _INJECTED | {_ORAL},
    "{pen}": _INJECTED,
    "{nebule}": frozenset({_INHALED}),
    "[iU]": _INJECTED | {_ORAL, _INHALED, _NOSE, _SKIN, _RECTAL, _VAGINAL, _TUBE, _EYE},
}
"""Counted unit -> routes it can be given by (SNOMED CT); other units go by any route."""

# A dose in grams from here on is more often milligrams misread (17 g is macrogol's usual dose).
_LARGEST_GRAMS = Decimal(4)
_USUAL_GRAMS = frozenset({Decimal(17)})
_HOUR_NUMBERS = frozenset(map(Decimal, (6, 8, 12, 24, 48, 72)))
_HOURS = {"min": Decimal(1) / 60, "h": Decimal(1), "d": Decimal(24), "wk": Decimal(168),
          "mo": Decimal(720), "a": Decimal(8760)}  # fmt: skip

RECTAL_OR_NEEDED = "PR is read as rectally; it may be a misread PRN (as needed)."
HOURLY_OR_BEDTIME = "QH is read as every hour; it may be a misread QHS (at bedtime)."
AM_OR_AT = "Morning and night are read; AM may be a misread AT."
DAY_OR_OTHER = "A single day of the week is read; it may be another word (STAT, ON) misread."
LARGE_GRAMS = "The dose in grams is unusually large: it may be milligrams."
NO_FREQUENCY = "How long is written without how often: a word may be missing."
DAYS_OR_HOURS = "The number of days is a usual number of hours: check the unit of the time."
SELDOM_NEEDED = "As needed and a time of weeks are both written: check the unit of the time."
OTHER_UNITS = "The doses are written in units that cannot be compared."
NUMBER_ALONE = "A number alone is written: it may be a dose or how often."
FAR_APART = "The doses are a hundredfold apart: check their units."
TOO_SHORT = "The duration is shorter than the time between doses."


def doubts(dosage: Dosage, *, counted_by_form: bool = False) -> Iterator[str]:
    """Yield one sentence for each pair of facts in a dosage that do not go together.

    Args:
        dosage: a structured dosage.
        counted_by_form: the unit was not written but taken from the form of the drug.
    """
    yield from _route_doubts(dosage, counted_by_form)
    largest = max(dosage.dose or Decimal(0), dosage.dose_high or Decimal(0))
    if dosage.dose_unit == "g" and largest >= _LARGEST_GRAMS and largest not in _USUAL_GRAMS:
        yield LARGE_GRAMS
    if dosage.as_needed and dosage.period_unit in {"wk", "mo", "a"} and dosage.frequency == 1:
        yield SELDOM_NEEDED
    if dosage.period_unit == "d" and dosage.period in _HOUR_NUMBERS:
        yield DAYS_OR_HOURS
    bare = replace(dosage, dose=None, dose_high=None, sequence=0, text="")
    if dosage.dose is not None and not dosage.dose_unit and bare == Dosage(0, ""):
        yield NUMBER_ALONE
    lasts = dosage.duration if dosage.duration is not None else dosage.duration_high
    if lasts is None or dosage.duration_unit is None:
        return
    often = dosage.frequency or dosage.frequency_max or dosage.count or dosage.when
    if not (often or dosage.times_of_day or dosage.days_of_week or dosage.as_needed):
        # "Apply for 5 days" has neither; only with a dose or alone is something missing.
        yield NO_FREQUENCY
    if dosage.period is not None and dosage.period_unit is not None:
        between = dosage.period * _HOURS[dosage.period_unit]
        if lasts * _HOURS[dosage.duration_unit] < between:
            yield TOO_SHORT


def _route_doubts(dosage: Dosage, counted_by_form: bool) -> Iterator[str]:
    unit = dosage.dose_unit or ""
    route = dosage.route.code if dosage.route else None
    implied = site_route(dosage.site) if dosage.site else None
    possible = ROUTES_OF_UNIT.get(unit)
    for way in dict.fromkeys((route, implied)):
        if way is not None and possible is not None and way not in possible:
            yield f"The dose and the route do not go together: {unit.strip('{}[]')}, {_way(way)}."
    on_skin = dosage.site is not None and implied is None
    if on_skin and route in (_SWALLOWED | {_IV, _INHALED, _EYE, _EAR, _NOSE, _RECTAL}) - {_VAGINAL}:
        yield f"The route and the site do not go together: {_way(route or '')}, {dosage.site}."
    if route and implied and route != implied:
        yield f"The route and the site do not go together: {_way(route)}, {dosage.site}."
    if implied in {_EYE, _EAR} and dosage.dose is not None and not unit and not counted_by_form:
        yield f"The dose for the {dosage.site} has no unit."


def step_doubts(dosages: Sequence[Dosage]) -> Iterator[str]:
    """Yield what does not go together between the doses of one direction."""
    amounts = [to_base(d.dose, d.dose_unit) for d in dosages if d.dose and d.dose_unit]
    if len({unit for _, unit in amounts}) > 1:
        yield OTHER_UNITS
    elif amounts and max(amounts)[0] >= 100 * min(amounts)[0]:
        yield FAR_APART


def _way(code: str) -> str:
    return ROUTE_PLAIN.get(code, code)


def word_doubts(tokens: Sequence[SigToken], text: str, form: str | None) -> Iterator[str]:
    """Yield one sentence for each abbreviation that is too near another to be sure of."""
    words = [text[token.start : token.end].lower().replace(".", "") for token in tokens]
    rectal_forms = {"{suppository}", "{enema}"} & {str(token.value) for token in tokens}
    days = [i for i, token in enumerate(tokens) if token.kind == "DAY"]
    for i, (token, word) in enumerate(zip(tokens, words, strict=True)):
        rectal = bool(rectal_forms) or form in {"suppository", "enema"}
        if token.kind == "ROUTE" and word == "pr" and not rectal:
            yield RECTAL_OR_NEEDED
        if token.kind == "FREQ" and word == "qh":
            yield HOURLY_OR_BEDTIME
        behind_q = i > 0 and tokens[i - 1].kind == "EVERY" and words[i - 1] == "q"
        if token.kind == "PERIOD" and word == "h" and behind_q:
            yield HOURLY_OR_BEDTIME
        night = token.kind == "WHEN" and token.value in {("NIGHT",), ("HS",)}
        if night and i > 0 and words[i - 1] == "am" and tokens[i - 1].kind == "WHEN":
            yield AM_OR_AT
        if days == [i] and len(word) <= 3 and (i == 0 or tokens[i - 1].kind not in _DAY_LEADS):
            yield DAY_OR_OTHER


_DAY_LEADS = frozenset({"ON", "EVERY", "NTIMES", "ADV", "DAY", "AND"})
