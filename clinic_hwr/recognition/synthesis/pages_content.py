"""What stands on a generated prescription: fictional people, ordinary drugs, written directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FIRST = (
    "Jane", "John", "Maria", "Omar", "Lena", "Peter", "Aisha", "Carlos", "Ruth", "Samuel",
    "Nora", "Victor", "Grace", "Ivan", "Helen", "David", "Priya", "Tomas", "Wendy", "Frank",
)  # fmt: skip
_LAST = (
    "Example", "Sample", "Testman", "Fictional", "Placeholder", "Demo", "Specimen", "Mockford",
    "Trialson", "Nemo", "Template", "Draft",
)  # fmt: skip
_STREETS = ("Main St", "Oak Ave", "River Rd", "Hill Lane", "Park Blvd", "Mill Way")
_TOWNS = ("Springfield", "Riverton", "Lakeside", "Fairview", "Milltown")
_PRACTICES = (
    "Riverside Family Clinic", "Lakeside Medical Group", "Northgate Internal Medicine",
    "Harbor Health Center", "Elm Street Pediatrics",
)  # fmt: skip
_SPECIALTIES = ("Family Medicine", "Internal Medicine", "Pediatrics", "General Practice")
_ALLERGIES = ("NKDA", "none", "penicillin", "sulfa", "latex")


@dataclass(frozen=True, slots=True)
class MedicationContent:
    """One medication as a prescriber writes it.

    Attributes:
        drug: drug line of a pad, e.g. ``Amoxicillin 500 mg cap``.
        sig: directions, e.g. ``1 cap po tid x 7 days``.
        quantity: amount to dispense, e.g. ``21``.
        name: drug name alone, for order tables.
        dose: e.g. ``500 mg``, for order tables.
        route: e.g. ``PO``, for order tables.
        frequency: e.g. ``q8h``, for order tables.
    """

    drug: str
    sig: str
    quantity: str
    name: str
    dose: str
    route: str
    frequency: str


@dataclass(frozen=True, slots=True)
class PageContent:
    """Everything a layout may put on paper. All people are fictional."""

    patient_name: str
    patient_dob: str
    patient_age: str
    patient_sex: str
    patient_weight: str
    patient_address: str
    patient_mrn: str
    allergies: str
    date_written: str
    prescriber_name: str
    prescriber_npi: str
    prescriber_dea: str
    prescriber_phone: str
    practice_name: str
    practice_address: str
    specialty: str
    medications: tuple[MedicationContent, ...]
    refills: str = "0"
    signed: bool = True
    substitution_allowed: bool = True

    def written_texts(self) -> tuple[str, ...]:
        """Every text a hand may have to write, for choosing one that can."""
        texts = [
            self.patient_name, self.patient_dob, self.patient_age, self.patient_sex,
            self.patient_weight, self.patient_address, self.allergies, self.date_written,
        ]  # fmt: skip
        for number, one in enumerate(self.medications, start=1):
            texts += [f"{number}) {one.drug}", one.sig, f"#{one.quantity}", one.name, one.dose]
            texts += [one.route, one.frequency]
        return tuple(texts)


MEDICATIONS: tuple[MedicationContent, ...] = tuple(
    MedicationContent(*row)
    for row in (
        ("Amoxicillin 500 mg cap", "1 cap po tid x 7 days", "21", "Amoxicillin", "500 mg", "PO",
         "q8h"),
        ("Lisinopril 10 mg tab", "1 tab po daily", "30", "Lisinopril", "10 mg", "PO", "daily"),
        ("Metformin 500 mg tab", "1 tab po bid with meals", "60", "Metformin", "500 mg", "PO",
         "bid"),
        ("Atorvastatin 20 mg tab", "1 tab po qhs", "30", "Atorvastatin", "20 mg", "PO", "qhs"),
        ("Ibuprofen 600 mg tab", "1 tab po q6h prn pain", "40", "Ibuprofen", "600 mg", "PO",
         "q6h prn"),
        ("Cephalexin 250 mg cap", "1 cap po qid x 10 days", "40", "Cephalexin", "250 mg", "PO",
         "q6h"),
        ("Omeprazole 20 mg cap", "1 cap po qam ac", "30", "Omeprazole", "20 mg", "PO", "qam"),
        ("Prednisone 10 mg tab", "2 tabs po daily x 5 days", "10", "Prednisone", "20 mg", "PO",
         "daily"),
        ("Ondansetron 4 mg tab", "1 tab po q8h prn nausea", "12", "Ondansetron", "4 mg", "IV",
         "q8h prn"),
        ("Azithromycin 250 mg tab", "2 tabs day 1 then 1 tab daily", "6", "Azithromycin",
         "500 mg", "IV", "q24h"),
        ("Furosemide 40 mg tab", "1 tab po bid", "60", "Furosemide", "40 mg", "IV", "q12h"),
        ("Albuterol inhaler", "2 puffs q4h prn wheeze", "1", "Albuterol", "2.5 mg", "neb",
         "q4h prn"),
    )
)  # fmt: skip
"""Ordinary drugs with ordinary directions: what the default content draws from."""


def npi_with_check_digit(nine: str) -> str:
    """Return ``nine`` digits with the NPI check digit (Luhn over the prefix 80840)."""
    total = 0
    for place, char in enumerate(reversed("80840" + nine)):
        doubled = int(char) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return f"{nine}{-total % 10}"


def dea_with_check_digit(letters: str, six: str) -> str:
    """Return a DEA number: two letters, six digits, check digit (odd sum + 2 x even sum)."""
    digits = [int(char) for char in six]
    return f"{letters}{six}{(sum(digits[0::2]) + 2 * sum(digits[1::2])) % 10}"


def random_content(rng: np.random.Generator, *, medications: int | None = None) -> PageContent:
    """Draw fictional content; the same generator state gives the same content.

    Args:
        rng: source of all choices.
        medications: how many medications, or None for one to three.
    """

    def pick(options: tuple[str, ...]) -> str:
        return options[int(rng.integers(len(options)))]

    def digits(n: int) -> str:
        return "".join(str(int(d)) for d in rng.integers(0, 10, n))

    count = int(rng.integers(1, 4)) if medications is None else medications
    chosen = rng.permutation(len(MEDICATIONS))[:count]
    year = int(rng.integers(1935, 2020))
    last = pick(_LAST)
    return PageContent(
        patient_name=f"{pick(_FIRST)} {pick(_LAST)}",
        patient_dob=f"{int(rng.integers(1, 13))}/{int(rng.integers(1, 29))}/{year}",
        patient_age=str(2026 - year),
        patient_sex=pick(("F", "M")),
        patient_weight=f"{int(rng.integers(12, 110))} kg",
        patient_address=f"{int(rng.integers(1, 990))} {pick(_STREETS)}, {pick(_TOWNS)}",
        patient_mrn=digits(7),
        allergies=pick(_ALLERGIES),
        date_written=f"{int(rng.integers(1, 13))}/{int(rng.integers(1, 29))}/2026",
        prescriber_name=f"{pick(_FIRST)} {last}, M.D.",
        prescriber_npi=npi_with_check_digit("1" + digits(8)),
        prescriber_dea=dea_with_check_digit("A" + last[0], digits(6)),
        prescriber_phone=f"(555) 010-{digits(4)}",
        practice_name=pick(_PRACTICES),
        practice_address=f"{int(rng.integers(1, 990))} {pick(_STREETS)}, {pick(_TOWNS)}",
        specialty=pick(_SPECIALTIES),
        medications=tuple(MEDICATIONS[int(i)] for i in chosen),
        refills=str(int(rng.integers(0, 6))),
        signed=bool(rng.random() < 0.9),
        substitution_allowed=bool(rng.random() < 0.7),
    )
