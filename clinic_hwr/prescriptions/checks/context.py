"""What a safety check can look at: the fields, the reading of each medication, and the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from clinic_hwr.prescriptions.dates import DateReading
from clinic_hwr.prescriptions.drug_line import DrugLine
from clinic_hwr.prescriptions.lexicon import DrugLexicon
from clinic_hwr.prescriptions.lexicon_entries import Availability
from clinic_hwr.prescriptions.quantities import NumberReading
from clinic_hwr.prescriptions.types import (
    EarlierOrder,
    FieldValue,
    Medication,
    PatientInfo,
    PrescriberInfo,
    Sig,
)


@dataclass(frozen=True, slots=True)
class MedicationReading:
    """One medication with everything that interpretation saw on the way.

    Attributes:
        medication: the result.
        line: the parts of the drug line.
        readings: (name, probability) of the n-best drug lines.
        availability: whether strength and form are made; None when the drug is unknown.
        sig: the directions before structure with leftover words is taken away; None when none.
        sig_text, strength_text, quantity_text, refills_text: as written, "" when absent.
        quantity_reading, refills_reading: figures and words.
    """

    medication: Medication
    line: DrugLine
    readings: tuple[tuple[str, float], ...]
    availability: Availability | None
    sig: Sig | None
    sig_text: str = ""
    strength_text: str = ""
    quantity_text: str = ""
    refills_text: str = ""
    quantity_reading: NumberReading | None = None
    refills_reading: NumberReading | None = None


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The whole paper as the checks see it."""

    values: Sequence[FieldValue]
    medications: tuple[MedicationReading, ...]
    patient: PatientInfo
    prescriber: PrescriberInfo
    date_reading: DateReading | None
    date_text: str
    signature_present: bool | None
    age_years: float | None
    weight_unit_missing: bool
    today: date
    lexicon: DrugLexicon
    earlier: tuple[EarlierOrder, ...] = ()

    def fields(self, name: str, group: int) -> list[FieldValue]:
        """Return the fields of a name in a group (page-level ones too, when the group has none)."""
        if not name:
            return []
        mine = [value for value in self.values if value.name == name and value.group == group]
        return mine or [value for value in self.values if value.name == name and value.group == 0]

    def on_paper(self, group: int, *names: str) -> str:
        """Return the first of ``names`` that is a field of this group, or the last name."""
        for name in names:
            if self.fields(name, group):
                return name
        return names[-1]
