"""Written directions to structured dosages, with what is left over and what is unsure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from clinic_hwr.prescriptions.forms import BY_NAME
from clinic_hwr.prescriptions.sig import parts as p
from clinic_hwr.prescriptions.sig.consistency import doubts, step_doubts, word_doubts
from clinic_hwr.prescriptions.sig.draft import GRID_MOMENTS, Draft
from clinic_hwr.prescriptions.sig.french import ENGLISH_WORDS, SURE_WORDS
from clinic_hwr.prescriptions.sig.grammar import longest_item
from clinic_hwr.prescriptions.sig.render import display_of, plain_language
from clinic_hwr.prescriptions.sig.tokens import SigToken, tokenize
from clinic_hwr.prescriptions.types import Dosage, Sig

# Tokens that say nothing when no item needs them.
_SILENT = frozenset({"NOISE", "LPAR", "RPAR", "AND", "DASH", "A"})
_NOUNS = frozenset(
    {"FORM", "ADD", "SITE", "REL", "WHEN", "UNIT", "MEAL", "WORD", "MEASURE", "REASON"}
)
_EYE_FORMS = frozenset({"drops"})
_COUNTED = frozenset({"{tablet}", "{capsule}", "[tsp_us]", "[tbs_us]", "{lozenge}", "{packet}"})
_ORAL, _EYE, _EAR = "26643006", "54485002", "10547007"
_DAILY = (1, Decimal(1), "d")

PM_ALONE = "PM alone is read as the evening; it may be a misread PRN (as needed)."
OD_WITHOUT_FREQUENCY = (
    "OD is read as the right eye and how often is not written: OD may mean once daily."
)
OD_AMBIGUOUS = "OD may mean once daily or the right eye: ask which is meant."
DOSE_AND_NEEDED = "Check whether the doses as needed come on top of the others."
TWO_DOSES = "Two doses are written and it is not clear which belongs to which time."

Item = tuple[p.Part, SigToken, SigToken]


def parse_sig(
    text: str, *, form: str | None = None, route: str | None = None, country: str | None = None
) -> Sig:
    """Structure written directions. Never raises; no word is dropped in silence.

    Args:
        text: the directions as written; kept verbatim.
        form: dose form name (``forms.BY_NAME``) of the drug, which counts a bare number and
            decides what OD means.
        route: SNOMED CT code of a route known from elsewhere, with the same use.
        country: where they were written (US, UK, IN or FR). It chooses the language and what
            abbreviations mean that differ between countries; without it, directions that only
            French explains are read as French.

    Returns:
        ``dosages`` in order: equal ``sequence`` is at the same time, rising ``sequence`` one after
        the other ("then"). ``leftover`` and ``warnings`` are empty only when every word was
        understood in one way.
    """
    sig = _parse(text, form, route, country)
    if country is None and sig.leftover and _looks_french(text):
        french = _parse(text, form, route, "FR")
        if not french.leftover:
            return french
    return sig


def _looks_french(text: str) -> bool:
    letters = unicodedata.normalize("NFKD", text.lower())
    words = re.findall(r"[a-z]+", re.sub("[\u0300-\u036f]", "", letters))
    # One such word may be a misread English one: "every 4 jours".
    return not SURE_WORDS.isdisjoint(words) and ENGLISH_WORDS.isdisjoint(words)


def _parse(text: str, form: str | None, route: str | None, country: str | None) -> Sig:
    tokens = tokenize(text, country)
    if tokens is None:
        return Sig(text, leftover=(text.strip(),))
    tokens, warnings = _resolve_eye_or_daily(tokens, form, route, country)
    if any(token.kind == "PM_ALONE" for token in tokens):
        warnings.append(PM_ALONE)
        tokens = [replace(t, kind="WHEN") if t.kind == "PM_ALONE" else t for t in tokens]
    warnings.extend(word_doubts(tokens, text, form))
    leftover: list[tuple[int, str]] = []
    steps = _split_steps(tokens)
    dosages: list[Dosage] = []
    unit = _default_unit(form)
    sequence = 0
    for step in steps:
        said = [token for token in step if token.kind != "NOISE"]
        step_text = text if len(steps) == 1 else _slice(text, said[0], said[-1])
        drafts = _drafts_of(step, text, leftover, warnings)
        taper = len(drafts) > 1 and _one_after_the_other(drafts)
        for draft in drafts:
            sequence += 1 if taper or draft is drafts[0] else 0
            warnings.extend(f"Check: {problem}." for problem in draft.settle())
            warnings.extend(draft.warnings)
            dosage = draft.dosage(sequence, step_text, unit)
            warnings.extend(doubts(dosage, counted_by_form=form in _EYE_FORMS))
            dosages.append(dosage)
    dosages = [d for d in dosages if replace(d, sequence=0, text="") != _EMPTY]
    if sequence > 1:
        dosages = _carry_over(dosages, warnings)
    warnings.extend(step_doubts(dosages))
    dosages = [replace(d, dose_unit_display=display_of(d)) for d in dosages]
    words = tuple(words for _, words in sorted(leftover))
    return Sig(text, tuple(dosages), words, plain_language(dosages), tuple(dict.fromkeys(warnings)))


_EMPTY = Dosage(sequence=0, text="")


def _resolve_eye_or_daily(
    tokens: list[SigToken], form: str | None, route: str | None, country: str | None
) -> tuple[list[SigToken], list[str]]:
    """Decide OD (once daily or right eye) and AS (left ear or a word) from the context."""
    kinds = {token.kind for token in tokens}
    if not kinds & {"OD", "AS"}:
        return tokens, []
    sites = {str(t.value) for t in tokens if t.kind == "SITE"}
    routes = {str(t.value) for t in tokens if t.kind == "ROUTE"} | ({route} if route else set())
    units = {str(t.value) for t in tokens if t.kind == "FORM"}
    drops = "[drp]" in units or form in _EYE_FORMS
    eye = _EYE in routes or any("eye" in site for site in sites)
    ear = _EAR in routes or any("ear" in site.split() or "ears" in site for site in sites)
    eye = eye or (drops and not ear)
    swallowed = bool(units & _COUNTED) or _ORAL in routes or "GRID" in kinds
    swallowed = swallowed or form in {"tablet", "capsule", "syrup", "suspension", "chewable tablet"}
    # Outside the US, OD is once daily unless something says eye.
    swallowed = swallowed or (country in {"UK", "IN"} and not eye)
    warnings: list[str] = []
    resolved: list[SigToken] = []
    often = bool(kinds & {"FREQ", "ADV", "EVERY", "WHEN", "REL", "NTIMES", "TIMES", "HOURLY",
                          "PRN", "CLOCK", "COUNT", "GRID"})  # fmt: skip
    for token in tokens:
        if token.kind == "OD" and eye != swallowed:
            made = replace(token, kind="SITE", value="right eye")
            if swallowed:
                made = replace(token, kind="FREQ", value=_DAILY)
            elif not often:
                warnings.append(OD_WITHOUT_FREQUENCY)
            resolved.append(made)
        elif token.kind == "OD":
            warnings.append(OD_AMBIGUOUS)
            resolved.append(replace(token, kind="HARD"))
        elif token.kind == "AS":
            resolved.append(
                replace(token, kind="SITE" if ear or drops else "HARD", value="left ear")
            )
        else:
            resolved.append(token)
    return resolved, warnings


def _split_steps(tokens: list[SigToken]) -> list[list[SigToken]]:
    """Split at "then"; empty steps go."""
    steps: list[list[SigToken]] = [[]]
    for token in tokens:
        if token.kind == "THEN":
            steps.append([])
        else:
            steps[-1].append(token)
    return [step for step in steps if any(token.kind != "NOISE" for token in step)]


def _drafts_of(
    step: list[SigToken], text: str, leftover: list[tuple[int, str]], warnings: list[str]
) -> list[Draft]:
    """Find the items of one step and put them into drafts; a second dose starts a second draft."""
    items = _items_of(step, text, leftover)
    if _needed_as_well(step, items):
        warnings.append(DOSE_AND_NEEDED)
    drafts = [Draft()]
    for part, first, last in items:
        if isinstance(part, p.Grid):
            fits = _put_grid(drafts, part)
        else:
            if _starts_another(drafts[-1], part):
                drafts.append(Draft())
            fits = drafts[-1].put(part)
        if not fits:
            leftover.append((first.start, _slice(text, first, last)))
    if len(drafts) > 1 and _one_after_the_other(drafts):
        return drafts
    if len(drafts) > 1:
        _share(drafts)
        if not all(draft.has_moment or draft.days for draft in drafts):
            warnings.append(TWO_DOSES)
        if any(draft.as_needed for draft in drafts):
            warnings.append("Check which of the doses is taken only as needed.")
    return drafts


def _needed_as_well(step: list[SigToken], items: list[Item]) -> bool:
    """Whether doses as needed may come on top of fixed ones: "bid + SOS", "1 bid and 1 prn"."""
    said = [token.kind for token in step if token.kind != "NOISE"]
    added = any(pair == ("AND", "PRN") for pair in pairwise(said))
    doses = sum(isinstance(part, p.Dose | p.DoseEach) for part, _, _ in items)
    needed = any(isinstance(part, p.AsNeeded) for part, _, _ in items)
    return needed and (added or (doses > 1 and "AND" in said))


def _one_after_the_other(drafts: list[Draft]) -> bool:
    """Whether doses are a taper written without "then": each has how often and how long.

    "60 mg daily x 3 days, 40 mg daily x 3 days, 20 mg daily": only the last may go on.
    """
    whole = all(d.dose is not None and d.frequency is not None for d in drafts)
    plain = not any(d.has_moment or d.days or d.as_needed or d.count for d in drafts)
    return whole and plain and all(d.duration is not None for d in drafts[:-1])


def _items_of(step: list[SigToken], text: str, leftover: list[tuple[int, str]]) -> list[Item]:
    items: list[Item] = []
    index = 0
    joined = False
    marks = {i for i, t in enumerate(step) if t.kind == "NOISE" and text[t.start : t.end] == ","}
    commas = {step[i + 1].start for i in marks if i + 1 < len(step)}
    step = [token for token in step if token.kind != "NOISE"]
    while index < len(step):
        parts, used = longest_item(step[index:])
        joined = bool(index) and step[index - 1].kind in {"AND", "OR"}
        joined = joined or (step[index].start in commas and len(items) > 1)
        if joined:
            parts = tuple(replace(q, joined=True) if isinstance(q, p.When) else q for q in parts)
        first_duration = not items and parts and isinstance(parts[0], p.Duration)
        alone = first_duration and step[index].kind in {"NUM", "DUR"}  # "1d on": a dose misread
        # "3w/day" is 3x a day misread, not three weeks of one a day.
        per_alone = parts and isinstance(parts[0], p.Frequency) and parts[0].amount_of_period
        alone = alone or bool(per_alone and items and isinstance(items[-1][0], p.Duration))
        if used and step[index].kind == "X" and items and _is_bare(items[-1][0]):
            alone = isinstance(parts[0], p.Count)  # "3x1" may be three times one
        if used and (_bare_and_late(parts, items) or alone):
            parts, used = (p.Unclear(),), used
        if not used:
            token = step[index]
            silent = token.kind in _SILENT or text[token.start : token.end] in "\u2013\u2014"
            if token.kind == "DASH" and index + 1 < len(step) and step[index + 1].kind == "NUM":
                silent = False  # a range or a minus that nothing took up
            if token.kind == "A" and (index + 1 >= len(step) or step[index + 1].kind not in _NOUNS):
                silent = False  # "80 mg an": ON misread
            if not silent:
                leftover.append((token.start, text[token.start : token.end]))
            index += 1
            continue
        items.extend((part, step[index], step[index + used - 1]) for part in parts)
        index += used
    return items


def _bare_and_late(parts: tuple[p.Part, ...], before: list[Item]) -> bool:
    """Whether this is a number alone behind other items: a dose only if all doses are bare.

    "1 am 2 hs" counts doses twice; the 5 of "bid 5" may be a dose, a duration or a count.
    """
    if not (len(parts) == 1 and _is_bare(parts[0])):
        return False
    return bool(before) and not _is_bare(before[0][0])


def _is_bare(part: p.Part) -> bool:
    return isinstance(part, p.Dose) and part.unit is None


def _starts_another(draft: Draft, part: p.Part) -> bool:
    dose = part.dose if isinstance(part, p.DoseEach) else part
    return isinstance(dose, p.Dose) and draft.dose is not None and draft.dose != dose


def _put_grid(drafts: list[Draft], grid: p.Grid) -> bool:
    """Turn "1-0-2" into doses at the same time of sequence, one draft for each amount."""
    draft = drafts[-1]
    bare = draft.dose is None or (draft.dose.unit is not None and grid.unit is None)
    if len(drafts) > 1 or draft.has_moment or draft.frequency is not None or not bare:
        return False
    if draft.dose is not None and not (draft.dose.unit or "").startswith("{"):
        # "5 ml 1-1-1": the pattern says when, the amount how much each time.
        if set(grid.doses) - {Decimal(0), Decimal(1)}:
            return False
        moments = GRID_MOMENTS[len(grid.doses)]
        draft.when = [m for m, dose in zip(moments, grid.doses, strict=True) if dose]
        return True
    if draft.dose is not None and draft.dose.amount != p.Span(max(grid.doses)):
        return False
    unit = draft.dose.unit if draft.dose is not None else grid.unit
    moments = GRID_MOMENTS[len(grid.doses)]
    amounts = list(dict.fromkeys(dose for dose in grid.doses if dose))
    if draft.dose is not None and len(amounts) > 1:
        return False
    for number, amount in enumerate(amounts):
        if number:
            drafts.append(Draft())
        drafts[-1].dose = p.Dose(p.Span(amount), unit)
        drafts[-1].when = [m for m, dose in zip(moments, grid.doses, strict=True) if dose == amount]
    if len(amounts) > 1:
        _share(drafts)
    return True


def _share(drafts: list[Draft]) -> None:
    """What is said once for doses of the same day holds for all: route, site, duration."""
    for name in ("route", "site", "duration"):
        said = {getattr(draft, name) for draft in drafts} - {None}
        if len(said) == 1:
            value = said.pop()
            for draft in drafts:
                setattr(draft, name, value)
    units = {draft.dose.unit for draft in drafts if draft.dose and draft.dose.unit}
    if len(units) == 1:
        for draft in drafts:
            if draft.dose is not None and draft.dose.unit is None:
                draft.dose = replace(draft.dose, unit=next(iter(units)))


def _carry_over(dosages: list[Dosage], warnings: list[str]) -> list[Dosage]:
    """In later steps an unwritten unit, route or site is that of the step before."""
    carried: list[Dosage] = []
    for dosage in dosages:
        if carried:
            last = carried[-1]
            dosage = replace(
                dosage,
                dose_unit=dosage.dose_unit or (last.dose_unit if dosage.dose else None),
                route=dosage.route or last.route,
                site=dosage.site or last.site,
            )
        how_often = bool(
            dosage.frequency or dosage.frequency_max or dosage.count or dosage.days_of_week
        )
        how_often = how_often or dosage.as_needed
        if carried and dosage.dose is None and how_often and carried[-1].dose is not None:
            last = carried[-1]
            dosage = replace(
                dosage, dose=last.dose, dose_high=last.dose_high, dose_unit=last.dose_unit
            )
            warnings.append("A step does not say how much: the dose before it is taken.")
        elif dosage.dose is None or not how_often:
            warnings.append("A step does not say both how much and how often.")
        carried.append(dosage)
    return carried


@lru_cache(maxsize=64)
def _default_unit(form: str | None) -> tuple[str, str] | None:
    known = BY_NAME.get(form or "")
    # A bare "5" of a syrup may be mL or teaspoons, of a pen units or mL: only pieces are sure.
    if known is None or known.unit not in {"{tablet}", "{capsule}", "{suppository}", "{patch}",
                                           "{lozenge}", "{packet}", "{film}", "[drp]", "{puff}",
                                           "{spray}"}:  # fmt: skip
        return None
    return known.unit, known.unit_display


def _slice(text: str, first: SigToken, last: SigToken) -> str:
    return text[first.start : last.end]
