"""Released prescriptions to publish in tests: one rich example, and a strategy for all others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from clinic_hwr.accounts.models import Site
from clinic_hwr.fhir.publication import PrescriptionPublication
from clinic_hwr.prescriptions.types import (
    Coded,
    Dosage,
    DrugMatch,
    Medication,
    PatientInfo,
    PrescriberInfo,
    Prescription,
    Quantity,
    Sig,
    Strength,
)

SNOMED = "http://snomed.info/sct"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
RELEASED_AT = datetime(2026, 11, 22, 9, 30, 15, 250_000, tzinfo=UTC)
SIG_TEXT = "Take 1.50 tabs  po BID x 10 days prn pain, w/ food"

SIG = Sig(
    text=SIG_TEXT,
    dosages=(
        Dosage(
            sequence=1,
            text="1.50 tabs",
            dose=Decimal("1.50"),
            dose_unit="{tablet}",
            dose_unit_display="tablet",
            route=Coded(SNOMED, "26643006", "Oral route"),
            frequency=2,
            period=Decimal("1"),
            period_unit="d",
            timing_code="BID",
            duration=Decimal("10"),
            duration_unit="d",
            as_needed=True,
            as_needed_reason="pain",
            max_dose=Decimal("8"),
            max_dose_unit="{tablet}",
            max_dose_period=Decimal("24"),
            max_dose_period_unit="h",
            additional=("with food",),
        ),
    ),
)
AMOXICILLIN = Medication(
    sequence=1,
    drug_text="Amoxicillin",
    drug=DrugMatch("Amoxicillin", "amoxicillin", "723", False, "", 1.0, verified=True),
    strength=Strength("500 mg", Decimal("500"), "mg"),
    form="tablet",
    product_rxcui="308192",
    product_name="amoxicillin 500 MG Oral Tablet",
    sig=SIG,
    quantity=Quantity("#30", Decimal("30"), "{tablet}"),
    refills=2,
    substitution_allowed=False,
)
SALINE = Medication(sequence=2, drug_text="saline nasal spray")
PRESCRIPTION = Prescription(
    patient=PatientInfo(
        name="Maria de la Cruz",
        birth_date=date(1980, 1, 2),
        sex="F",
        address="1 Main St, Springfield",
        mrn="MRN 0042",
    ),
    prescriber=PrescriberInfo(
        name="Dr. John Q. Smith, MD",
        npi="1234567893",
        npi_valid=True,
        dea="AB1234563",
        dea_valid=True,
        phone="555-0100",
        practice="Main St Practice",
    ),
    medications=(AMOXICILLIN, SALINE),
    date_written=date(2026, 11, 20),
    date_text="11/20/26",
    signature_present=True,
)


def publication(
    prescription: Prescription = PRESCRIPTION, site: Site | None = None, **changes: Any
) -> PrescriptionPublication:
    """Return a publication of ``prescription``; ``changes`` replace its other fields."""
    record = PrescriptionPublication(
        prescription_id=UUID("7f3c1f3e-0a3b-4c69-9d6e-3f1c0e8a1b01"),
        version=1,
        site=site or Site(id=UUID("0d9c6a41-60a1-4a3e-8f55-0a1d8c1b2e02"), name="Riverside & Co"),
        prescription=prescription,
        scan_id=UUID("c0a80101-1111-4222-8333-444455556666"),
        scan_sha256="ab" * 32,
        scan_pdf=PDF,
        scan_received_at=RELEASED_AT - timedelta(hours=1),
        released_at=RELEASED_AT,
        verifier_name="Piet Osei",
        verifier_id="7",
        model_version="trba-2026.11",
        product_version="0.1.0",
    )
    return replace(record, **changes)


def with_medication(**changes: Any) -> PrescriptionPublication:
    """Return a publication of one order: amoxicillin with ``changes``."""
    order = replace(AMOXICILLIN, **changes)
    return publication(replace(PRESCRIPTION, medications=(order,)))


def resources_of(bundle: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    """Return the resources of a type in ``bundle``, in order."""
    return [
        entry["resource"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == resource_type
    ]


# ---- every prescription that may be released, however odd -------------------------------------

# Anything a person or a recognizer may leave in a field, blanks and control characters included.
texts = st.one_of(
    st.text(max_size=40),
    st.text(
        alphabet="<>&\"'\u00a0\u2028\ufeff\x00\x1f\x85\ud7ff\U0001f48a é漢ي\t\r\n ", max_size=20
    ),
    st.sampled_from(["", " ", "Zoë O'Brien", "]]>", "</div><script>", "1 tab po qd"]),
)
visible_texts = texts.filter(lambda text: any(c.isalnum() and c.isascii() for c in text))
amounts = st.one_of(
    st.decimals(min_value=0, max_value=100_000, places=3),
    st.sampled_from([Decimal("1.50"), Decimal("0.125"), Decimal("1E+2"), Decimal("0")]),
)
units = st.sampled_from(
    [None, "", "mg", "{tablet}", "mL", "[drp]", "tablet", "mcg", "10*3.[iU]", "a b", "µg"]
)
counts = st.one_of(st.none(), st.integers(min_value=-2, max_value=2**33))
period_units = st.sampled_from([None, "s", "min", "h", "d", "wk", "mo", "a", "day"])
routes = st.one_of(
    st.none(), st.builds(Coded, st.just(SNOMED), st.sampled_from(["26643006"]), texts)
)
dosages = st.builds(
    Dosage,
    sequence=st.integers(min_value=-1, max_value=9),
    text=texts,
    dose=st.none() | amounts,
    dose_high=st.none() | amounts,
    dose_unit=units,
    dose_unit_display=st.none() | texts,
    route=routes,
    frequency=counts,
    frequency_max=counts,
    period=st.none() | amounts,
    period_max=st.none() | amounts,
    period_unit=period_units,
    when=st.lists(st.sampled_from(["HS", "AC", "PCM", "breakfast"]), max_size=2).map(tuple),
    times_of_day=st.lists(st.sampled_from(["08:00", "23:59:59", "24:00", "8"]), max_size=2).map(
        tuple
    ),
    days_of_week=st.lists(st.sampled_from(["mon", "sun", "Tuesday"]), max_size=2).map(tuple),
    timing_code=st.sampled_from([None, "", "BID", "Q4H", "Q12H", "q 4 h"]),
    duration=st.none() | amounts,
    duration_unit=period_units,
    count=counts,
    as_needed=st.booleans(),
    as_needed_reason=st.none() | texts,
    max_dose=st.none() | amounts,
    max_dose_unit=units,
    max_dose_period=st.none() | amounts,
    max_dose_period_unit=period_units,
    site=st.none() | texts,
    additional=st.lists(texts, max_size=2).map(tuple),
)
sigs = st.builds(
    Sig,
    text=texts,
    dosages=st.lists(dosages, max_size=3).map(tuple),
    leftover=st.lists(texts, max_size=2).map(tuple),
)
matches = st.builds(
    DrugMatch,
    written=texts,
    name=texts,
    rxcui=st.sampled_from([None, "723", "308192"]),
    is_brand=st.booleans(),
    generic_of=texts,
    score=st.floats(min_value=0, max_value=1),
    verified=st.booleans(),
)
medications = st.builds(
    Medication,
    sequence=st.just(0),  # numbered below
    drug_text=visible_texts,
    drug=st.none() | matches,
    strength=st.none() | st.builds(Strength, text=texts, value=amounts, unit=st.just("mg")),
    product_rxcui=st.sampled_from([None, "308192"]),
    product_name=st.none() | texts,
    sig=st.none() | sigs,
    quantity=st.none()
    | st.builds(Quantity, text=texts, value=amounts, unit=units.map(lambda unit: unit or "")),
    refills=st.none() | st.integers(min_value=0, max_value=99),
    substitution_allowed=st.none() | st.booleans(),
)
patients = st.builds(
    PatientInfo,
    name=texts,
    birth_date=st.none() | st.dates(),
    birth_date_text=texts,
    age_text=texts,
    sex=st.sampled_from(["", "M", "female", "X", "?"]) | texts,
    address=texts,
    mrn=texts,
    weight_kg=st.none() | amounts,
    allergies=texts,
)
prescribers = st.builds(
    PrescriberInfo,
    name=texts,
    npi=st.sampled_from(["", "1234567893", " 1234567893", "1234567890", "١٢٣"]) | texts,
    npi_valid=st.none() | st.booleans(),
    dea=texts,
    dea_valid=st.none() | st.booleans(),
    phone=texts,
    practice=texts,
)
prescriptions = st.builds(
    Prescription,
    patient=patients,
    prescriber=prescribers,
    medications=st.lists(medications, max_size=4).map(
        lambda orders: tuple(replace(order, sequence=n) for n, order in enumerate(orders, 1))
    ),
    date_written=st.none() | st.dates(),
    date_text=st.sampled_from(["2026", "11/2026", "yesterday"]) | texts,
)
instants = st.datetimes(
    min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)
)
publications = st.builds(
    PrescriptionPublication,
    prescription_id=st.uuids(version=4),
    version=st.integers(min_value=1, max_value=3),
    site=st.builds(Site, id=st.uuids(version=4), name=texts),
    prescription=prescriptions,
    scan_id=st.uuids(version=4),
    scan_sha256=st.just("ab" * 32),
    scan_pdf=st.binary(min_size=1, max_size=64).map(lambda tail: PDF + tail),
    scan_received_at=instants,
    released_at=instants,
    verifier_name=texts,
    verifier_id=texts,
    model_version=texts,
    product_version=texts,
)
