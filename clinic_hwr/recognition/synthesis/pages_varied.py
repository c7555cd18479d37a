"""Varied content for generated pages: more drugs and directions, and four languages.

Only letters that every hand of the data folder can be expected to write: ASCII. All people are
fictional.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .pages_content import (
    MEDICATIONS,
    MedicationContent,
    PageContent,
    dea_with_check_digit,
    npi_with_check_digit,
)

# drug line, name, dose, route, frequency for tables
_DRUGS = (
    ("Gabapentin 300 mg cap", "Gabapentin", "300 mg"),
    ("Sertraline 50 mg tab", "Sertraline", "50 mg"),
    ("Levothyroxine 75 mcg tab", "Levothyroxine", "75 mcg"),
    ("Amlodipine 5 mg tab", "Amlodipine", "5 mg"),
    ("Losartan 50 mg tab", "Losartan", "50 mg"),
    ("Pantoprazole 40 mg tab", "Pantoprazole", "40 mg"),
    ("Doxycycline 100 mg cap", "Doxycycline", "100 mg"),
    ("Naproxen 500 mg tab", "Naproxen", "500 mg"),
    ("Cetirizine 10 mg tab", "Cetirizine", "10 mg"),
    ("Metoprolol 25 mg tab", "Metoprolol", "25 mg"),
    ("Warfarin 2.5 mg tab", "Warfarin", "2.5 mg"),
    ("Clopidogrel 75 mg tab", "Clopidogrel", "75 mg"),
    ("Fluconazole 150 mg tab", "Fluconazole", "150 mg"),
    ("Montelukast 10 mg tab", "Montelukast", "10 mg"),
    ("Tramadol 50 mg tab", "Tramadol", "50 mg"),
    ("Paracetamol 500 mg tab", "Paracetamol", "500 mg"),
    ("Nitrofurantoin 100 mg cap", "Nitrofurantoin", "100 mg"),
    ("Hydroxyzine 25 mg tab", "Hydroxyzine", "25 mg"),
)
_SIGS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "en": (
        ("1 tab po bid", "PO", "bid"), ("take 1 daily", "PO", "daily"),
        ("1 po q8h x 5 d", "PO", "q8h"), ("one at bedtime", "PO", "qhs"),
        ("1 tab po q12h prn pain", "PO", "q12h prn"), ("take 2 now then 1 tid", "PO", "tid"),
        ("1-0-1 x 5 d", "PO", "bid"), ("1 tab twice a day with food", "PO", "bid"),
    ),
    "de": (
        ("1-0-1", "p.o.", "1-0-1"), ("1-0-0 vor dem Essen", "p.o.", "1-0-0"),
        ("3x tgl 1 Tbl", "p.o.", "3x tgl"), ("0-0-1 zur Nacht", "p.o.", "0-0-1"),
        ("bei Bedarf 1 Tbl, max 3", "p.o.", "b. Bed."),
    ),
    "fr": (
        ("1 cp matin et soir", "PO", "2 / j"), ("1 cp 3 fois par jour", "PO", "3 / j"),
        ("1 gel le soir pdt 7 jours", "PO", "1 / j"), ("1 cp si douleur, max 4", "PO", "si bes."),
    ),
    "es": (
        ("1 tab cada 8 horas", "VO", "c/8 h"), ("1 comp al dia", "VO", "c/24 h"),
        ("1 caps cada 12 h x 7 dias", "VO", "c/12 h"), ("1 tab si dolor", "VO", "prn"),
        ("1 tab en la noche", "VO", "noche"),
    ),
}  # fmt: skip
_FIRST = {
    "en": ("Jane", "Omar", "Priya", "Samuel", "Wendy", "Victor", "Nora", "Hugh", "Zoe", "Quinn"),
    "de": ("Anna", "Jonas", "Greta", "Lukas", "Ute", "Bernd", "Heike", "Moritz"),
    "fr": ("Camille", "Luc", "Manon", "Hugo", "Odile", "Remi", "Claire", "Yves"),
    "es": ("Lucia", "Diego", "Carmen", "Pablo", "Rosa", "Javier", "Elena", "Mateo"),
}
_LAST = {
    "en": ("Example", "Fictional", "Mockford", "Placeholder", "Specimen", "Trialson"),
    "de": ("Muster", "Beispiel", "Probe", "Niemand", "Vorlage"),
    "fr": ("Exemple", "Modele", "Fictif", "Untel", "Essai"),
    "es": ("Ejemplo", "Modelo", "Muestra", "Prueba", "Ficticio"),
}
_STREETS = {
    "en": ("Main St", "Oak Ave", "Hill Lane", "Park Blvd"),
    "de": ("Hauptstr", "Gartenweg", "Am Markt", "Ringstr"),
    "fr": ("rue du Lac", "av du Port", "rue Haute"),
    "es": ("Calle Sol", "Av del Rio", "Calle Mayor"),
}
_TOWNS = {
    "en": ("Springfield", "Riverton", "Fairview"),
    "de": ("Musterstadt", "Neudorf", "Altheim"),
    "fr": ("Villeneuve", "Beaulieu", "Montclair"),
    "es": ("Villanueva", "Riomar", "Montealto"),
}
_PRACTICES = {
    "en": ("Riverside Family Clinic", "Harbor Health Center", "Northgate Internal Medicine"),
    "de": ("Gemeinschaftspraxis Am Markt", "Praxis Dr. Muster", "MVZ Neudorf"),
    "fr": ("Cabinet du Lac", "Maison de Sante Beaulieu", "Centre Medical Montclair"),
    "es": ("Clinica Riomar", "Centro Medico del Sol", "Consultorio Villanueva"),
}
_SPECIALTIES = {
    "en": ("Family Medicine", "Pediatrics", "General Dentistry"),
    "de": ("Allgemeinmedizin", "Innere Medizin"),
    "fr": ("Medecine generale", "Pediatrie"),
    "es": ("Medicina General", "Pediatria"),
}
_ALLERGIES = {
    "en": ("NKDA", "none", "penicillin", "sulfa", "latex", "codeine"),
    "de": ("keine", "Penicillin"),
    "fr": ("aucune", "penicilline"),
    "es": ("ninguna", "penicilina"),
}

LANGUAGES = tuple(_SIGS)


def varied_content(
    rng: np.random.Generator, language: str = "en", medications: int | None = None
) -> PageContent:
    """Draw fictional content in a language; the same generator state gives the same content.

    Args:
        rng: source of all choices.
        language: a key of ``LANGUAGES``; it decides names, directions and how dates are written.
        medications: how many, or None for one to four.
    """

    def pick(options: Sequence[str]) -> str:
        return options[int(rng.integers(len(options)))]

    def digits(n: int) -> str:
        return "".join(str(int(d)) for d in rng.integers(0, 10, n))

    def date(first: int, last: int) -> str:
        year = int(rng.integers(first, last + 1))
        month, day = int(rng.integers(1, 13)), int(rng.integers(1, 29))
        if language == "en":
            return f"{month}/{day}/{year}"
        return f"{day:02d}.{month:02d}.{year}" if language == "de" else f"{day}/{month}/{year}"

    count = int(rng.choice((1, 2, 3, 4), p=(0.35, 0.3, 0.25, 0.1)))
    count = count if medications is None else medications
    born = date(1935, 2019)
    last = pick(_LAST[language])
    return PageContent(
        patient_name=f"{pick(_FIRST[language])} {pick(_LAST[language])}",
        patient_dob=born,
        patient_age=str(2026 - int(born[-4:])),
        patient_sex=pick(("F", "M")),
        patient_weight=f"{int(rng.integers(12, 110))} kg",
        patient_address=f"{int(rng.integers(1, 990))} {pick(_STREETS[language])}, "
        f"{pick(_TOWNS[language])}",
        patient_mrn=digits(7),
        allergies=pick(_ALLERGIES[language]),
        date_written=date(2026, 2026),
        prescriber_name=f"{pick(_FIRST[language])} {last}",
        prescriber_npi=npi_with_check_digit("1" + digits(8)),
        prescriber_dea=dea_with_check_digit("A" + last[0], digits(6)),
        prescriber_phone=f"(555) 010-{digits(4)}",
        practice_name=pick(_PRACTICES[language]),
        practice_address=f"{int(rng.integers(1, 990))} {pick(_STREETS[language])}, "
        f"{pick(_TOWNS[language])}",
        specialty=pick(_SPECIALTIES[language]),
        medications=_medications(rng, language, count),
        refills=str(int(rng.integers(0, 6))),
        signed=bool(rng.random() < 0.9),
        substitution_allowed=bool(rng.random() < 0.6),
    )


def _medications(
    rng: np.random.Generator, language: str, count: int
) -> tuple[MedicationContent, ...]:
    drugs = [(m.drug, m.name, m.dose) for m in MEDICATIONS] + list(_DRUGS)
    sigs = _SIGS[language]
    made = []
    for index in rng.permutation(len(drugs))[:count]:
        drug, name, dose = drugs[int(index)]
        sig, route, frequency = sigs[int(rng.integers(len(sigs)))]
        amount = str(int(rng.choice((6, 10, 14, 20, 21, 28, 30, 42, 60, 90))))
        made.append(MedicationContent(drug, sig, amount, name, dose, route, frequency))
    return tuple(made)
