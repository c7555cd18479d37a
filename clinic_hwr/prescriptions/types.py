"""The typed prescription: what the fields of a paper mean together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One field as it enters interpretation: a machine reading or a human decision.

    Attributes:
        field_id: the database id of the field, as text ("" in notebooks).
        name: a key of ``pages.types.FIELD_NAMES``.
        group: medication number on the page, 0 for fields of the whole page.
        text: the value in force ("" when not present or illegible).
        alternatives: other readings with their probability, best first.
        p_correct: probability 0..1 that ``text`` is right; 1.0 for a human decision.
        human: whether a person decided this value.
        present: for signature/checkbox fields: whether there is a mark.
        illegible: a person looked and could not read it.
        named_by: what the name was taken from, a ``pages.types.NamedBy``.
        struck_out: a ``pages.types.StruckOut``: "wholly" or "partly" when it is crossed out,
            "perhaps" when it may be.
        print_problem: why the print of its page could not be read, "" when it was.
        page_problems: what could not be done for its page, as ``pages.types.PageProblem``.
        mark_doubt: a ``pages.types.MarkDoubt``: why marks do not say which choice is meant.
    """

    field_id: str
    name: str
    group: int
    text: str
    alternatives: tuple[tuple[str, float], ...] = ()
    p_correct: float = 0.0
    human: bool = False
    present: bool | None = None
    illegible: bool = False
    named_by: str = ""
    struck_out: str = ""
    print_problem: str = ""
    page_problems: tuple[str, ...] = ()
    mark_doubt: str = ""


@dataclass(frozen=True, slots=True)
class Blocker:
    """A named reason why a field (or the whole paper) may not go on without a human.

    ``field_name``/``group`` point at the field; field_name "" means the whole prescription.
    Where several fields share both, ``field_id`` says which one is meant; "" means all of them.
    """

    code: str
    message: str
    field_name: str = ""
    group: int = 0
    severity: str = "stop"  # stop | warn
    scan_id: str = ""  # another scan to compare with
    field_id: str = ""


@dataclass(frozen=True, slots=True)
class EarlierOrder:
    """What an earlier paper of the same site says; enough to notice one received twice.

    Attributes:
        scan_id: the database id of its scan, as text.
        received: when it came in, as people read it.
        same_paper: its ink is in the same places as this paper's.
        patient_name, birth_date, date_written: as understood.
        drugs: lexicon names, or what was written where there is none; lower case.
    """

    scan_id: str
    received: str
    same_paper: bool = False
    patient_name: str = ""
    birth_date: date | None = None
    date_written: date | None = None
    drugs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrugMatch:
    """A lexicon entry that a written name may stand for.

    Attributes:
        written: the text that was matched.
        name: the lexicon name, lower case for generics.
        rxcui: RxNorm concept id as digits, or None.
        is_brand: a brand name rather than an ingredient.
        generic_of: ingredient name(s) of a brand, "" for generics.
        score: 0..1 similarity, joint over the n-best readings.
        verified: False when the lexicon row is recalled rather than looked up in RxNorm.
        tallman: tall-man lettering, or "".
        schedule: DEA schedule ("C-II" ...), or "".
        tty: RxNorm term type of the entry (IN, MIN, PIN, BN).
        why: what spoke for and against this entry, in words.
    """

    written: str
    name: str
    rxcui: str | None
    is_brand: bool
    generic_of: str
    score: float
    verified: bool
    tallman: str = ""
    schedule: str = ""
    tty: str = ""
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Strength:
    """A written strength such as 500 mg or 250 mg/5 mL. Units are UCUM, "" when none was written.

    ``others`` are the further ingredients of a combination, in written order: 875 mg/125 mg has
    value 875 and others ((125, "mg"),).
    """

    text: str
    value: Decimal
    unit: str
    per_value: Decimal | None = None
    per_unit: str | None = None
    others: tuple[tuple[Decimal, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Coded:
    """A code with its system and display."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Dosage:
    """Structured directions; mirrors FHIR R4 Dosage. Absent parts are None or empty.

    Amounts are Decimal, units UCUM; period units are s|min|h|d|wk|mo|a. ``offset_min`` are minutes
    before or after the events of ``when``. ``duration_high`` makes the duration a range; without
    ``duration`` it is an upper limit.
    """

    sequence: int
    text: str
    dose: Decimal | None = None
    dose_high: Decimal | None = None
    dose_unit: str | None = None
    dose_unit_display: str | None = None
    route: Coded | None = None
    frequency: int | None = None
    frequency_max: int | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    period_unit: str | None = None
    when: tuple[str, ...] = ()
    times_of_day: tuple[str, ...] = ()
    days_of_week: tuple[str, ...] = ()
    timing_code: str | None = None
    offset_min: int | None = None
    duration: Decimal | None = None
    duration_high: Decimal | None = None
    duration_unit: str | None = None
    count: int | None = None
    as_needed: bool = False
    as_needed_reason: str | None = None
    max_dose: Decimal | None = None
    max_dose_unit: str | None = None
    max_dose_period: Decimal | None = None
    max_dose_period_unit: str | None = None
    site: str | None = None
    additional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sig:
    """Written directions, verbatim, with what could be structured of them.

    ``leftover`` are words the grammar could not place: kept, reported, never dropped.
    ``warnings`` are one-sentence reasons why the structure may mean something else.
    ``interpret`` empties ``dosages`` when either is not empty: structure that leaves out words
    is worse than none, and the text stays.
    """

    text: str
    dosages: tuple[Dosage, ...] = ()
    leftover: tuple[str, ...] = ()
    plain_language: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quantity:
    """How much to dispense. ``unit`` is UCUM or "" when none was written."""

    text: str
    value: Decimal
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from.

    Attributes:
        value: the value's name (drug, strength, form, product, sig, quantity, patient.name, ...).
        field_id: the field it was read in, "" when it has none.
        reading_rank: 0 for the text in force, n for the n-th other reading.
        rule: what made the value of the text, in words.
    """

    value: str
    field_id: str
    reading_rank: int
    rule: str


@dataclass(frozen=True, slots=True)
class Medication:
    """One ordered drug, in the order of the page (``sequence`` = field group)."""

    sequence: int
    drug_text: str
    drug: DrugMatch | None = None
    candidates: tuple[DrugMatch, ...] = ()
    strength: Strength | None = None
    form: str | None = None
    product_rxcui: str | None = None
    product_name: str | None = None
    sig: Sig | None = None
    quantity: Quantity | None = None
    refills: int | None = None
    substitution_allowed: bool | None = None
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientInfo:
    """The patient as written on the paper."""

    name: str = ""
    birth_date: date | None = None
    birth_date_text: str = ""
    age_text: str = ""
    sex: str = ""
    address: str = ""
    mrn: str = ""
    weight_kg: Decimal | None = None
    allergies: str = ""


@dataclass(frozen=True, slots=True)
class PrescriberInfo:
    """The prescriber as written or printed on the paper."""

    name: str = ""
    npi: str = ""
    npi_valid: bool | None = None
    dea: str = ""
    dea_valid: bool | None = None
    phone: str = ""
    practice: str = ""


@dataclass(frozen=True, slots=True)
class Prescription:
    """One paper, interpreted. ``blockers`` are computed by the registered safety checks.

    ``origins`` are those of patient, prescriber, date and signature ("patient.name"); each
    medication holds its own.
    """

    patient: PatientInfo
    prescriber: PrescriberInfo
    medications: tuple[Medication, ...]
    date_written: date | None = None
    date_text: str = ""
    signature_present: bool | None = None
    blockers: tuple[Blocker, ...] = ()
    origins: tuple[Origin, ...] = ()
