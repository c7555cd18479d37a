"""Dose forms as written, the UCUM unit a dose is counted in, and the RxNorm forms they mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """A dose form.

    Attributes:
        name: plain English name.
        unit: UCUM unit that one dose is counted in, or "" when it is not counted.
        unit_display: that unit in words.
        rxnorm: a word that every matching RxNorm dose form contains ("Tablet").
        groups: RxTerms form groups it may belong to.
    """

    name: str
    unit: str
    unit_display: str
    rxnorm: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def listed(self) -> str:
        """The plainest RxNorm dose form of this name."""
        return _LISTED.get(self.name, self.rxnorm[0])


_LISTED = {"tablet": "Oral Tablet", "capsule": "Oral Capsule", "suspension": "Oral Suspension",
           "solution": "Oral Solution", "syrup": "Oral Solution", "elixir": "Oral Solution",
           "drops": "Ophthalmic Solution", "ointment": "Topical Ointment",
           "cream": "Topical Cream", "gel": "Topical Gel", "lotion": "Topical Lotion",
           "suppository": "Rectal Suppository", "injection": "Injection",
           "inhaler": "Metered Dose Inhaler", "spray": "Metered Dose Nasal Spray"}  # fmt: skip

TABLET = Form("tablet", "{tablet}", "tablet", ("Tablet",), ("Oral Pill", "Chewable", "Sublingual"))
CAPSULE = Form("capsule", "{capsule}", "capsule", ("Capsule",), ("Oral Pill",))
FORMS: tuple[Form, ...] = (
    TABLET,
    CAPSULE,
    Form("chewable tablet", "{tablet}", "tablet", ("Chewable Tablet",), ("Chewable",)),
    Form(
        "disintegrating tablet",
        "{tablet}",
        "tablet",
        ("Disintegrating Oral Tablet",),
        ("Oral Disintegrating",),
    ),
    Form("suspension", "mL", "mL", ("Suspension",), ("Oral Liquid", "Suspension Powder")),
    Form("solution", "mL", "mL", ("Solution",), ("Oral Liquid", "Solution Powder")),
    Form("syrup", "mL", "mL", ("Solution", "Suspension", "Syrup"), ("Oral Liquid",)),
    Form("elixir", "mL", "mL", ("Solution", "Elixir"), ("Oral Liquid",)),
    Form("drops", "[drp]", "drop", ("Solution", "Suspension"), ("Ophthalmic", "Otic")),
    Form("ointment", "{application}", "application", ("Ointment",), ("Topical", "Ophthalmic")),
    Form("cream", "{application}", "application", ("Cream",), ("Topical", "Vaginal", "Rectal")),
    Form("gel", "{application}", "application", ("Gel",), ("Topical",)),
    Form("lotion", "{application}", "application", ("Lotion",), ("Topical",)),
    Form("powder", "{application}", "application", ("Powder",), ("Topical", "Oral Powder")),
    Form("foam", "{application}", "application", ("Foam",), ("Topical",)),
    Form("shampoo", "{application}", "application", ("Shampoo",), ("Shampoo",)),
    Form("suppository", "{suppository}", "suppository", ("Suppository",), ("Rectal", "Vaginal")),
    Form("patch", "{patch}", "patch", ("Transdermal System", "Patch"), ("Transdermal", "Topical")),
    Form(
        "injection",
        "mL",
        "mL",
        ("Inject", "Prefilled Syringe", "Cartridge", "Pen Injector"),
        ("Injectable",),
    ),
    Form("pen", "[iU]", "unit", ("Pen Injector",), ("Injectable",)),
    Form("inhaler", "{puff}", "puff", ("Inhaler", "Inhalation Powder"), ("Inhalant",)),
    Form("spray", "{spray}", "spray", ("Spray",), ("Nasal", "Topical", "Mucosal")),
    Form("lozenge", "{lozenge}", "lozenge", ("Lozenge",), ("Oral Lozenge",)),
    Form("packet", "{packet}", "packet", ("Powder", "Granules"), ("Solution Powder",)),
    Form("film", "{film}", "film", ("Film",), ("Oral Film", "Sublingual")),
    Form("enema", "{enema}", "enema", ("Enema",), ("Rectal",)),
)
BY_NAME: dict[str, Form] = {form.name: form for form in FORMS}

WRITTEN: dict[str, str] = {
    "t": "tablet", "tab": "tablet", "tabs": "tablet", "tabl": "tablet", "tablet": "tablet",
    "tablets": "tablet", "tbl": "tablet", "pill": "tablet", "pills": "tablet",
    "c": "capsule", "cap": "capsule", "caps": "capsule", "capsule": "capsule",
    "capsules": "capsule", "caplet": "tablet", "caplets": "tablet",
    "chewable": "chewable tablet", "chew": "chewable tablet",
    "odt": "disintegrating tablet", "susp": "suspension", "suspension": "suspension",
    "soln": "solution", "sol": "solution", "solution": "solution",
    "syr": "syrup", "syp": "syrup", "syrup": "syrup", "elix": "elixir", "elixir": "elixir",
    "gtt": "drops", "gtts": "drops", "drop": "drops", "drops": "drops",
    "oint": "ointment", "ung": "ointment", "ointment": "ointment",
    "crm": "cream", "cream": "cream", "gel": "gel", "lot": "lotion", "lotion": "lotion",
    "pwd": "powder", "powder": "powder", "foam": "foam", "shampoo": "shampoo",
    "supp": "suppository", "suppos": "suppository", "suppository": "suppository",
    "suppositories": "suppository", "patch": "patch", "patches": "patch",
    "inj": "injection", "injection": "injection", "amp": "injection", "vial": "injection",
    "pen": "pen", "flexpen": "pen", "kwikpen": "pen",
    "mdi": "inhaler", "hfa": "inhaler", "inhaler": "inhaler", "dpi": "inhaler",
    "diskus": "inhaler", "spray": "spray", "loz": "lozenge", "lozenge": "lozenge",
    "sachet": "packet", "packet": "packet", "packets": "packet", "film": "film",
    "enema": "enema",
}  # fmt: skip
"""Lower-case written form without its dot -> form name."""

RELEASE: dict[str, str] = {
    "er": "Extended Release", "xr": "Extended Release", "xl": "Extended Release",
    "sr": "Extended Release", "la": "Extended Release", "cr": "Extended Release",
    "cd": "Extended Release", "xt": "Extended Release",
    "dr": "Delayed Release", "ec": "Delayed Release", "ir": "Immediate Release",
}  # fmt: skip
"""Release modifiers behind a name ("Metformin ER") -> the words in the RxNorm dose form."""


def form_of(written: str) -> str | None:
    """Return the form name of one written word, or None."""
    return WRITTEN.get(written.lower().rstrip("."))


def form_named(text: str) -> str | None:
    """Return the form that a name of several words means ("Oral Tablet", "eye drops"), or None."""
    whole = " ".join(text.lower().replace(".", " ").split())
    if whole in BY_NAME:
        return whole
    words = whole.split()
    qualified = " ".join(words[-2:])
    if qualified in BY_NAME:
        return qualified
    if words[:1] in (["ophthalmic"], ["otic"]) and words[-1] in {"solution", "suspension"}:
        return "drops"
    return next((name for word in reversed(words) if (name := form_of(word)) is not None), None)


_DRUG_ROUTES: tuple[tuple[str, frozenset[str]], ...] = (
    # what an RxNorm dose form contains -> SNOMED CT routes it is given by
    ("Ophthalmic", frozenset({"54485002"})),
    ("Otic", frozenset({"10547007"})),
    ("Nasal", frozenset({"46713006"})),
    ("Vaginal", frozenset({"16857009"})),
    ("Rectal", frozenset({"37161004"})),
    ("Enema", frozenset({"37161004"})),
    ("Transdermal", frozenset({"45890007", "6064005"})),
    ("Topical", frozenset({"6064005"})),
    ("Sublingual", frozenset({"37839007"})),
    ("Buccal", frozenset({"54471007"})),
    ("Inhal", frozenset({"447694001"})),
    ("Inject", frozenset({"47625008", "78421000", "34206005"})),
    ("Prefilled Syringe", frozenset({"47625008", "78421000", "34206005"})),
    ("Cartridge", frozenset({"34206005", "78421000", "47625008"})),
    ("Oral", frozenset({"26643006", "127492001", "37839007", "54471007"})),
    ("Chewable", frozenset({"26643006"})),
)


def route_fits(route: str, dose_form: str) -> bool | None:
    """Whether an RxNorm dose form is given by a route (SNOMED CT); None where it does not say."""
    routes = [ways for word, ways in _DRUG_ROUTES if word in dose_form]
    return any(route in ways for ways in routes) if routes else None


def groups_fit(groups: tuple[str, ...], form: str) -> bool | None:
    """Whether a form belongs to one of the RxTerms form groups of a drug; None when unknown."""
    known = BY_NAME.get(form)
    if not groups or known is None:
        return None
    return any(group in groups for group in known.groups)


def form_fits(form: str, release: str, dose_form: str) -> bool:
    """Whether an RxNorm dose form is what ``form`` with a ``release`` modifier means.

    An unwritten release means the plain form: "tab" is not an extended release tablet.
    """
    for word in ("Extended Release", "Delayed Release"):
        if (word in dose_form) != (release == word):
            return False
    if not form:
        return True
    entry = BY_NAME.get(form)
    if entry is None or not any(word in dose_form for word in entry.rxnorm):
        return False
    # A plain tablet is swallowed; the other kinds are written as what they are.
    return (
        form != "tablet" or dose_form.endswith("Release Oral Tablet") or dose_form in PLAIN_TABLETS
    )


PLAIN_TABLETS = frozenset({"Oral Tablet", "Sublingual Tablet", "Buccal Tablet", "Chewable Tablet",
                           "Vaginal Tablet", "Effervescent Oral Tablet",
                           "Disintegrating Oral Tablet"})  # fmt: skip
