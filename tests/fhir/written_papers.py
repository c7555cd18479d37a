"""Prescriptions as people write them, interpreted by the product's own rooms, in any number.

Synthetic: the words are drawn from lists, with the noise of real papers (abbreviations, missing
fields, tapers, brand names, dates of three kinds). The same seed gives the same paper.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from clinic_hwr.fhir.publication import PrescriptionPublication
from clinic_hwr.prescriptions import interpret
from clinic_hwr.prescriptions.types import FieldValue

from .publications import PDF, publication

_DRUGS = (
    "Amoxicillin 500 mg", "Metformin 850 mg tab", "Lisinopril 10 mg", "Lipitor 20 mg",
    "Levothyroxine 75 mcg", "Warfarin 2.5 mg", "Prednisone 5 mg", "Augmentin 875/125 mg",
    "Albuterol HFA 90 mcg", "Insulin glargine 100 units/mL", "Timolol 0.5% ophth soln",
    "Hydrocodone/APAP 5/325", "Ondansetron ODT 4 mg", "Amoxicillin 250 mg/5 mL susp",
    "Fluticasone 50 mcg nasal spray", "Hydrocortisone 1% cream", "Fentanyl 25 mcg/hr patch",
    "Digoxin 0.125 mg", "Clotrimazole troche", "Zoë's herbal mixture", "???",
)  # fmt: skip
_SIGS = (
    "1 tab po qd", "Take 1 tablet by mouth twice daily", "1-2 tabs po q4-6h prn pain",
    "i cap tid x 10d", "2 puffs inh q4h prn wheezing", "1 gtt OU bid", "5 mL po q8h x 7 days",
    "1/2 tab po qhs", "1.50 tabs po BID", "10 units subcut at bedtime",
    "apply bid to affected area",
    "1 patch q72h", "4 tabs day 1, then 2 tabs daily x 4 days", "1 tab po qam and 2 tabs po qpm",
    "take as directed", "ut dict.", "1 tab at 08:00 and 20:00", "1 tab mon wed fri",
    "2 sprays each nostril daily", "1 tab po bid ac", "max 8 tabs in 24 h, 2 tabs q6h prn fever",
    "1 tab SL prn chest pain, may repeat q5min x 3", "inject 0.5 mL IM once", "qod", "",
    "1 tab po q 12 h x 2 wks", "one every morning & as needed", "<b>1 tab</b> & \"stop\"",
)  # fmt: skip
_PEOPLE = (
    "Maria de la Cruz", "O'Brien, Seán", "Nguyễn Thị Minh", "J. Smith Jr.", "李小龍",
    "Anna-Lena Groß", "van der Berg, Jan", "Cher", "", "Dr. A. B. Núñez, MD",
)  # fmt: skip
_DATES = ("11/20/2026", "20 Nov 2026", "2026-11-20", "11/2026", "2026", "yesterday", "")
_QUANTITIES = ("#30", "30 tabs", "1 bottle", "100 mL", "90 (ninety)", "", "0.5")


def written_paper(number: int) -> PrescriptionPublication:
    """Return the ``number``-th paper."""
    chance = random.Random(number)
    fields: list[FieldValue] = []

    def put(name: str, text: str, group: int = 0) -> None:
        if text or chance.random() < 0.3:
            fields.append(FieldValue("", name, group, text, p_correct=1.0, human=True))

    put("patient_name", chance.choice(_PEOPLE))
    put("patient_dob", chance.choice(_DATES))
    put("patient_sex", chance.choice(("F", "M", "x", "", "woman", "?")))
    put("patient_address", chance.choice(("1 Main St, Springfield", "", "Rue de l'Été 5\nGenève")))
    put("patient_mrn", chance.choice(("", f"{chance.randrange(10**8):08}", "MRN-12/4")))
    put("patient_weight", chance.choice(("", "70 kg", "154 lb", "3.50 kg")))
    put("allergies", chance.choice(("", "NKDA", "penicillin & <sulfa>")))
    put("prescriber_name", chance.choice(_PEOPLE))
    put("prescriber_npi", chance.choice(("1234567893", "1234567890", "", "12345")))
    put("prescriber_dea", chance.choice(("AB1234563", "AB1234567", "")))
    put("prescriber_phone", chance.choice(("555-0100", "(555) 010-0199", "")))
    put("date_written", chance.choice(_DATES))
    for group in range(1, chance.randint(1, 5) + 1):
        put("drug", chance.choice(_DRUGS), group)
        put("sig", chance.choice(_SIGS), group)
        put("quantity", chance.choice(_QUANTITIES), group)
        put("refills", chance.choice(("0", "3", "none", "x 11", "")), group)
        if chance.random() < 0.3:
            fields.append(FieldValue("", "substitution", group, "DAW", present=True, human=True))
    received = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=chance.randrange(10**6))
    return publication(
        interpret(fields, today=date(2026, 11, 26), day_first=chance.random() < 0.3),
        prescription_id=UUID(int=number + 1, version=4),
        scan_id=UUID(int=10**9 + number, version=4),
        scan_pdf=PDF + chance.randbytes(chance.randrange(200)),
        scan_received_at=received,
        released_at=received + timedelta(minutes=chance.randrange(300)),
        verifier_name=chance.choice(_PEOPLE) or "piet",
        retracted=chance.random() < 0.05,
        version=chance.choice((1, 1, 1, 2)),
        reason="x",
    )
