"""Answer one question about directions or one drug line: what ``manage.py interpret`` is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from clinic_hwr.prescriptions.checks import run_check
from clinic_hwr.prescriptions.checks.writing import (
    abbreviation_doubts,
    naked_decimal_doubt,
    trailing_zero_doubt,
)
from clinic_hwr.prescriptions.drug_lexicon import DrugLexicon
from clinic_hwr.prescriptions.forms import form_named
from clinic_hwr.prescriptions.interpretation import context_of
from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.prescriptions.lexicon_entries import Product
from clinic_hwr.prescriptions.routes import ROUTE_WRITTEN, ROUTES
from clinic_hwr.prescriptions.sig import parse_sig
from clinic_hwr.prescriptions.types import Blocker, Dosage, DrugMatch, FieldValue, Sig

COUNTRIES = ("US", "UK", "IN", "FR")

NO_STRENGTHS = (
    "{n} product codes are possible for “{name}” and this lexicon does not hold their strengths: "
    "load a full RxNorm release to tell them apart."
)

_EYE, _EAR, _NOSE = "54485002", "10547007", "46713006"
_ROUTE_OF_FORM = {"eye": _EYE, "ophthalmic": _EYE, "ear": _EAR, "otic": _EAR, "nasal": _NOSE}

# Checks that say something of a drug line alone, without patient, date or signature.
_LINE_CHECKS = (
    "unknown_drug", "look_alike", "ambiguous_drug", "readings_disagree", "strength_not_made",
    "missing_unit", "error_prone_abbreviation", "trailing_zero", "naked_decimal",
    "controlled_substance", "high_alert", "dose_out_of_range",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DrugAnswer:
    """What a drug line may mean.

    Attributes:
        candidates: entries of the lexicon, best first.
        products: the product codes that the best candidate, strength and form leave.
        blockers: what a person must look at.
        doubts: what was asked with the line and is not known (a form, a route, a country).
        codes: (RxCUI, form group) of products that may be meant and whose strengths the lexicon
            does not hold.
    """

    candidates: tuple[DrugMatch, ...]
    products: tuple[Product, ...]
    blockers: tuple[Blocker, ...]
    doubts: tuple[str, ...] = ()
    codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Setting:
    """Form, route and country of a question; None where none is given or known."""

    form: str | None
    route: str | None
    country: str | None
    doubts: tuple[str, ...]


def _setting(form: str | None, route: str | None, country: str | None) -> _Setting:
    """Read what comes with a question; what is not known is said and not used."""
    shape = form_named(form) if form else None
    way = route_named(route) if route else None
    place = country_named(country) if country else None
    unknown = [
        f"The {name} “{given}” is not known and was not used."
        for name, given, found in (
            ("form", form, shape), ("route", route, way), ("country", country, place)
        )
        if given and found is None
    ]  # fmt: skip
    return _Setting(shape, way or _route_of_form(form), place, tuple(unknown))


def sig_question(
    text: str, *, form: str | None = None, route: str | None = None, country: str | None = None
) -> Sig:
    """Structure directions as a person asks for it, with every doubt in ``warnings``.

    Args:
        text: the directions.
        form: dose form in words ("tablet", "eye drops", "Oral Suspension").
        route: route in words, as an abbreviation or as a SNOMED CT code.
        country: US, UK, IN or FR.
    """
    asked = _setting(form, route, country)
    sig = parse_sig(text, form=asked.form, route=asked.route, country=asked.country)
    if asked.route is not None:
        sig = replace(sig, dosages=tuple(_with_route(d, asked.route) for d in sig.dosages))
    doubts = [*sig.warnings, *_double_meanings(text), *asked.doubts]
    if not sig.dosages and not sig.leftover:
        doubts.append("There are no directions.")
    return replace(sig, warnings=tuple(dict.fromkeys(doubts)))


def drug_question(
    text: str,
    *,
    strength: str | None = None,
    form: str | None = None,
    route: str | None = None,
    readings: Sequence[tuple[str, float]] = (),
    lexicon: DrugLexicon | None = None,
    country: str | None = None,
    today: date | None = None,
) -> DrugAnswer:
    """Rank what a drug line may mean.

    Args:
        text: the line as it was read first ("Amoxicilin 500mg cap").
        strength: a strength written elsewhere.
        form: dose form in words.
        route: route in words or as a SNOMED CT code.
        readings: the other readings with their probability.
        lexicon: the drug lexicon; the packaged one when None.
        country: US, UK, IN or FR.
        today: the day of the question; only dates of a whole paper need it.
    """
    known = lexicon or load_lexicon()
    asked = _setting(form, route, country)
    named = form_named(text.split(" ")[-1]) is not None
    line = f"{text} {asked.form}" if asked.form and not named else text
    values = [FieldValue("", "drug", 1, line, tuple(readings), p_correct=0.5)]
    if strength:
        values.append(FieldValue("", "strength", 1, strength))
    context = context_of(
        values,
        today=today or date.today(),
        lexicon=known,
        country=asked.country,
        route=asked.route,
    )
    blockers = [b for code in _LINE_CHECKS for b in run_check(code, context)]
    if not context.medications:
        return DrugAnswer((), (), tuple(blockers), asked.doubts)
    medication = context.medications[0].medication
    products: list[Product] = []
    if medication.drug is not None and (medication.strength or medication.form):
        products = known.products_for(
            known.entry(medication.drug),
            strength=medication.strength,
            form=medication.form,
            release=context.medications[0].line.release,
        )
    codes: tuple[tuple[str, str], ...] = ()
    doubts = asked.doubts
    if medication.drug is not None and not products:
        codes = known.codes_of(known.entry(medication.drug), medication.form)
    if codes:
        doubts = (*doubts, NO_STRENGTHS.format(n=len(codes), name=medication.drug_text))
    return DrugAnswer(medication.candidates, tuple(products), tuple(blockers), doubts, codes)


def country_named(country: str) -> str | None:
    """Return the country code in capitals, None when it is not one that is known."""
    code = {"GB": "UK"}.get(country.strip().upper(), country.strip().upper())
    return code if code in COUNTRIES else None


def route_named(route: str) -> str | None:
    """Return the SNOMED CT code of a route in words or code, None when it is not known."""
    words = " ".join(route.lower().replace(".", "").split()).removesuffix(" route")
    return words if words in ROUTES else ROUTE_WRITTEN.get(words) or _ROUTE_OF_FORM.get(words)


def _route_of_form(form: str | None) -> str | None:
    words = re.findall(r"[a-z]+", form.lower()) if form else []
    return next((_ROUTE_OF_FORM[word] for word in words if word in _ROUTE_OF_FORM), None)


def _with_route(dosage: Dosage, way: str) -> Dosage:
    return dosage if dosage.route is not None else replace(dosage, route=ROUTES[way])


def _double_meanings(text: str) -> list[str]:
    """Abbreviations and numbers that are known to be misread, as sentences.

    Those that only warn (OD, HS, SC) are settled by the grammar where form and route decide them.
    """
    found = [message for message, severity in abbreviation_doubts(text) if severity == "stop"]
    return found + [d for d in (trailing_zero_doubt(text), naked_decimal_doubt(text)) if d]
