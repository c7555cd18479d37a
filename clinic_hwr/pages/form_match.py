"""Which of the forms a site has taught a page is printed on, if any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .form_features import likely_forms
from .form_template import TemplateRegion
from .registration import FormPrint, Misfit, PagePrint, Refusal, Registration, register

# Two forms whose evidence differs by less than this share look the same on the page.
_SAME_EVIDENCE = 0.004
_MOST_MATCHED = 4  # forms matched in full; the vote puts the right one first on 99 of 100 pages


@dataclass(frozen=True, slots=True)
class FormSheet:
    """One page of one version of a form, ready to be recognised.

    Attributes:
        key: of the caller: which version.
        number: page of the form, from 1.
        print: its clean page.
        regions: what is written where.
    """

    key: str
    number: int
    print: FormPrint
    regions: tuple[TemplateRegion, ...]


@dataclass(frozen=True, slots=True)
class FormMatch:
    """The form a page is printed on."""

    sheet: FormSheet
    registration: Registration


@dataclass(frozen=True, slots=True)
class FormMiss:
    """No form was recognised: the sheet that came nearest, and why it was refused.

    ``sheet`` is None where there was nothing to compare with.
    """

    reason: Refusal
    sheet: FormSheet | None = None
    misfit: Misfit | None = None


_NEARNESS = (
    Refusal.BLANK, Refusal.FEW_INLIERS, Refusal.IMPLAUSIBLE, Refusal.PRINT_DIFFERS,
    Refusal.CUT_OFF, Refusal.TURNED, Refusal.OTHER_VERSION, Refusal.AMBIGUOUS,
)  # fmt: skip


def match_form(page: PagePrint, sheets: Sequence[FormSheet]) -> FormMatch | FormMiss:
    """Return the sheet a page is printed on, or why there is none.

    Of several that fit, versions of one form among them, the one that explains most of the page's
    print wins; when what differs between two of them cannot be seen, none does.
    """
    likely = likely_forms(
        page.features, [sheet.print.features for sheet in sheets], most=_MOST_MATCHED
    )
    fits: list[FormMatch] = []
    misses: list[FormMiss] = []
    for index in likely:
        sheet = sheets[index]
        found = register(sheet.print, page)
        if isinstance(found, Misfit):
            misses.append(FormMiss(found.reason, sheet, found))
        else:
            fits.append(FormMatch(sheet, found))
    if not fits:
        if not misses:
            return FormMiss(Refusal.BLANK)
        return max(misses, key=lambda miss: _NEARNESS.index(miss.reason))
    fits.sort(key=lambda match: -match.registration.fit.evidence)
    best = fits[0]
    near = best.registration.fit.evidence * (1 - _SAME_EVIDENCE)
    for other in fits[1:]:
        if other.registration.fit.evidence >= near and other.sheet.regions != best.sheet.regions:
            misfit = Misfit(Refusal.AMBIGUOUS, best.registration.fit)
            return FormMiss(Refusal.AMBIGUOUS, best.sheet, misfit)
    return best
