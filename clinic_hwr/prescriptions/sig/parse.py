"""Written directions to structured dosages, with what is left over and what is unsure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from clinic_hwr.prescriptions.forms import BY_NAME
from clinic_hwr.prescriptions.sig import parts as p
from clinic_hwr.prescriptions.sig.draft import GRID_MOMENTS, Draft
from clinic_hwr.prescriptions.sig.grammar import longest_item
from clinic_hwr.prescriptions.sig.render import display_of, plain_language
from clinic_hwr.prescriptions.sig.tokens import SigToken, tokenize
from clinic_hwr.prescriptions.types import Dosage, Sig

# Tokens that say nothing when no item needs them.
_SILENT = frozenset({"NOISE", "LPAR", "RPAR", "AND", "DASH", "A"})
_EYE_FORMS = frozenset({"drops"})
_COUNTED = frozenset({"{tablet}", "{capsule}", "[tsp_us]", "[tbs_us]", "{lozenge}", "{packet}"})
_ORAL, _EYE, _EAR = "26643006", "54485002", "10547007"
_DAILY = (1, Decimal(1), "d")

OD_AMBIGUOUS = "OD may mean once daily or the right eye: ask which is meant."
TWO_DOSES = "Two doses are written and it is not clear which belongs to which time."

Item = tuple[p.Part, SigToken, SigToken]


def parse_sig(text: str, *, form: str | None = None, route: str | None = None) -> Sig:
    """Structure written directions. Never raises; no word is dropped in silence.

    Args:
        text: the directions as written; kept verbatim.
        form: dose form name (``forms.BY_NAME``) of the drug, which counts a bare number and
            decides what OD means.
        route: SNOMED CT code of a route known from elsewhere, with the same use.

    Returns:
        ``dosages`` in order: equal ``sequence`` is at the same time, rising ``sequence`` one after
        the other ("then"). ``leftover`` and ``warnings`` are empty only when every word was
        understood in one way.
    """
    tokens = tokenize(text)
    if tokens is None:
        return Sig(text, leftover=(text.strip(),))
    tokens, warnings = _resolve_eye_or_daily(tokens, form, route)
    leftover: list[tuple[int, str]] = []
    steps = _split_steps(tokens)
    dosages: list[Dosage] = []
    unit = _default_unit(form)
    for number, step in enumerate(steps, start=1):
        step_text = text if len(steps) == 1 else _slice(text, step[0], step[-1])
        drafts = _drafts_of(step, text, leftover, warnings)
        for draft in drafts:
            warnings.extend(f"Check: {problem}." for problem in draft.settle())
            warnings.extend(draft.warnings)
            dosages.append(draft.dosage(number, step_text, unit))
    dosages = [d for d in dosages if replace(d, sequence=0, text="") != _EMPTY]
    if len(steps) > 1:
        dosages = _carry_over(dosages, warnings)
    dosages = [replace(d, dose_unit_display=display_of(d)) for d in dosages]
    words = tuple(words for _, words in sorted(leftover))
    return Sig(text, tuple(dosages), words, plain_language(dosages), tuple(dict.fromkeys(warnings)))


_EMPTY = Dosage(sequence=0, text="")


def _resolve_eye_or_daily(
    tokens: list[SigToken], form: str | None, route: str | None
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
    warnings: list[str] = []
    resolved: list[SigToken] = []
    for token in tokens:
        if token.kind == "OD" and eye != swallowed:
            made = replace(token, kind="SITE", value="right eye")
            if swallowed:
                made = replace(token, kind="FREQ", value=_DAILY)
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
    """Split at "then"; silent tokens go, empty steps too."""
    steps: list[list[SigToken]] = [[]]
    for token in tokens:
        if token.kind == "THEN":
            steps.append([])
        elif token.kind != "NOISE":
            steps[-1].append(token)
    return [step for step in steps if step]


def _drafts_of(
    step: list[SigToken], text: str, leftover: list[tuple[int, str]], warnings: list[str]
) -> list[Draft]:
    """Find the items of one step and put them into drafts; a second dose starts a second draft."""
    items = _items_of(step, text, leftover)
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
    if len(drafts) > 1:
        _share(drafts)
        if not all(draft.has_moment or draft.days for draft in drafts):
            warnings.append(TWO_DOSES)
        if any(draft.as_needed for draft in drafts):
            warnings.append("Check which of the doses is taken only as needed.")
    return drafts


def _items_of(step: list[SigToken], text: str, leftover: list[tuple[int, str]]) -> list[Item]:
    items: list[Item] = []
    index = 0
    while index < len(step):
        parts, used = longest_item(step[index:])
        if used and _bare_and_late(parts, items):
            parts, used = (p.Unclear(),), used
        if not used:
            token = step[index]
            if token.kind not in _SILENT and text[token.start : token.end] not in {
                "\u2013",
                "\u2014",
            }:
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
    if not (len(parts) == 1 and isinstance(parts[0], p.Dose) and parts[0].unit is None):
        return False
    if not before:
        return False
    first = before[0][0]
    starts_bare = isinstance(first, p.Dose) and first.unit is None
    return not starts_bare


def _starts_another(draft: Draft, part: p.Part) -> bool:
    dose = part.dose if isinstance(part, p.DoseEach) else part
    return isinstance(dose, p.Dose) and draft.dose is not None and draft.dose != dose


def _put_grid(drafts: list[Draft], grid: p.Grid) -> bool:
    """Turn "1-0-2" into doses at the same time of sequence, one draft for each amount."""
    draft = drafts[-1]
    bare = draft.dose is None or (draft.dose.unit is not None and grid.unit is None)
    if len(drafts) > 1 or draft.has_moment or draft.frequency is not None or not bare:
        return False
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
        how_often = dosage.frequency or dosage.frequency_max or dosage.count
        if dosage.dose is None or how_often is None:
            warnings.append("A step does not say both how much and how often.")
        carried.append(dosage)
    return carried


@lru_cache(maxsize=64)
def _default_unit(form: str | None) -> tuple[str, str] | None:
    known = BY_NAME.get(form or "")
    # A bare "5" of a syrup may be mL or teaspoons, of a pen units or mL: only pieces are sure.
    if known is None or known.unit not in {"{tablet}", "{capsule}", "{suppository}", "{patch}",
                                           "{lozenge}", "{packet}", "{film}"}:  # fmt: skip
        return None
    return known.unit, known.unit_display


def _slice(text: str, first: SigToken, last: SigToken) -> str:
    return text[first.start : last.end]
