"""Draws European prescriptions: a British form, and German, French and Spanish papers."""

from __future__ import annotations

import numpy as np

from .hands import Hand
from .pages_content import PageContent
from .pages_layouts import layout
from .pages_marks import check_box, rubber_stamp
from .pages_paper import Paper
from .pages_rows import free_hand, labelled_row, medication_lines, sign, signature_line


@layout("uk_form")
def uk_form(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """British form: stamp box, age and date of birth, treatment area, signature and date."""
    paper = free_hand(Paper(4.15, 8.25, dpi, hand, rng))
    paper.box(0.2, 0.2, 1.55, 1.35)
    paper.text(0.26, 0.32, "Pharmacy Stamp", points=6.5)
    if rng.random() < 0.5:
        rubber_stamp(paper, 0.9, 0.85, ("DISPENSED", content.practice_name.split()[0].upper()))
    paper.box(1.6, 0.2, 3.95, 1.35)
    labelled_row(paper, "Age", "patient_age", "text", content.patient_age, 1.68, 2.4, 0.45,
                 points=7, rule=False)  # fmt: skip
    labelled_row(paper, "D.o.B", "patient_dob", "date", content.patient_dob, 2.5, 3.9, 0.45,
                 points=7, rule=False)  # fmt: skip
    paper.text(1.68, 0.62, "Title, Forename, Surname & Address", points=6)
    paper.field("patient_name", "name", content.patient_name, 1.75, 0.87, scale=1.0, max_width=2.1)
    paper.field("patient_address", "text", content.patient_address, 1.75, 1.16, scale=0.9,
                max_width=2.15)  # fmt: skip
    paper.rule(0.2, 1.45, 3.95, 1.45, points=1.2)
    paper.text(0.26, 1.6, "Number of days' treatment", points=6.5)
    paper.text(0.26, 1.72, "N.B. Ensure dose is stated", points=6)
    paper.box(1.62, 1.49, 2.0, 1.74)
    paper.box(0.2, 1.85, 3.95, 6.2, points=1.0)
    top = 2.25 + float(rng.uniform(0.0, 0.3))
    medication_lines(paper, content, 0.45, top, 5.9, right=3.8, quantity="supply {}", pitch=0.36)
    paper.text(0.26, 6.36, "Signature of Prescriber", points=6.5)
    paper.box(0.2, 6.24, 2.6, 6.95)
    sign(paper, content, 0.55, 6.85, 1.5)
    paper.box(2.6, 6.24, 3.95, 6.95)
    paper.text(2.66, 6.36, "Date", points=6.5)
    paper.field("date_written", "date", content.date_written, 2.75, 6.75, max_width=1.1)
    paper.printed_field("prescriber_name", "name", f"Dr {content.prescriber_name}", 0.3, 7.15,
                        points=8, face="bold")  # fmt: skip
    paper.printed_field("practice_name", "text", content.practice_name, 0.3, 7.32, points=7.5)
    paper.text(0.3, 7.47, content.practice_address, points=7)
    right = paper.text(0.3, 7.62, "Tel:", points=7)[2]
    paper.printed_field("prescriber_phone", "digits", content.prescriber_phone, right + 0.06, 7.62,
                        points=7)  # fmt: skip
    paper.text(2.2, 8.05, "FORM 10 NC 0426", points=8, face="bold")
    return paper


@layout("german_rezept")
def german_rezept(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """German A6 form, landscape: patient block by needle printer, boxes to tick, Rp. by hand."""
    paper = free_hand(Paper(5.83, 4.13, dpi, hand, rng))
    needle = bool(rng.random() < 0.6)
    for place, label in enumerate(("Gebühr frei", "noctu", "Sonstige")):
        check_box(paper, 0.15, 0.42 + 0.27 * place, label, checked=bool(rng.random() < 0.3),
                  points=6)  # fmt: skip
    paper.box(0.95, 0.18, 3.5, 1.75)
    paper.text(1.0, 0.29, "Krankenkasse bzw. Kostenträger", points=5.5)
    paper.text(1.05, 0.46, "Musterkasse", points=8.5, face="narrow", dots=needle)
    paper.rule(0.95, 0.55, 3.5, 0.55)
    paper.text(1.0, 0.66, "Name, Vorname des Versicherten", points=5.5)
    paper.printed_field("patient_name", "name", content.patient_name, 1.05, 0.86, points=9,
                        face="narrow", dots=needle)  # fmt: skip
    paper.text(2.72, 0.74, "geb. am", points=5.5)
    paper.printed_field("patient_dob", "date", content.patient_dob, 2.72, 0.93, points=8.5,
                        face="narrow", dots=needle)  # fmt: skip
    paper.printed_field("patient_address", "text", content.patient_address, 1.05, 1.06, points=8.5,
                        face="narrow", dots=needle)  # fmt: skip
    paper.rule(0.95, 1.16, 3.5, 1.16)
    paper.text(1.0, 1.27, "Versicherten-Nr.", points=5.5)
    paper.printed_field("patient_mrn", "digits", content.patient_mrn, 1.05, 1.46, points=8.5,
                        face="narrow", dots=needle)  # fmt: skip
    paper.text(2.72, 1.27, "Datum", points=5.5)
    paper.field("date_written", "date", content.date_written, 2.68, 1.52, scale=0.8, max_width=0.8)
    paper.text(0.2, 2.02, "Rp.", points=11, face="bold")
    paper.text(0.62, 1.98, "(Bitte Leerräume durchstreichen)", points=5.5)
    for place in range(3):
        check_box(paper, 0.2, 2.38 + 0.42 * place, "", checked=bool(rng.random() < 0.2))
        paper.text(0.16, 2.48 + 0.42 * place, "aut idem", points=4.5)
    paper.box(0.5, 2.08, 3.55, 3.75)
    medication_lines(paper, content, 0.65, 2.34, 3.62, right=3.5, quantity="", scale=1.0,
                     sig="S: {}", pitch=0.3)  # fmt: skip
    paper.box(3.65, 1.9, 5.65, 3.75)
    paper.text(3.72, 2.02, "Vertragsarztstempel", points=5.5)
    paper.printed_field("prescriber_name", "name", f"Dr. med. {content.prescriber_name}", 3.8,
                        2.32, points=8, face="bold")  # fmt: skip
    paper.printed_field("practice_name", "text", content.practice_name, 3.8, 2.48, points=7)
    paper.text(3.8, 2.62, content.practice_address, points=6.5)
    right = paper.text(3.8, 2.76, "Tel.", points=6.5)[2]
    paper.printed_field("prescriber_phone", "digits", content.prescriber_phone, right + 0.06, 2.76,
                        points=6.5)  # fmt: skip
    paper.text(3.72, 3.88, "Unterschrift des Arztes", points=5.5)
    sign(paper, content, 3.9, 3.66, 1.4)
    return paper


@layout("french_ordonnance")
def french_ordonnance(
    content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int
) -> Paper:
    """French A5 letterhead: Nom, Prénom, Âge, Poids; numbered drugs with QSP; stamp, signature."""
    paper = free_hand(Paper(5.83, 8.27, dpi, hand, rng))
    paper.printed_field("prescriber_name", "name", f"Docteur {content.prescriber_name}", 0.45, 0.6,
                        points=12, face="serif-bold")  # fmt: skip
    paper.text(0.45, 0.8, content.specialty, points=8.5, face="serif")
    paper.printed_field("practice_name", "text", content.practice_name, 0.45, 0.97, points=9,
                        face="serif")  # fmt: skip
    paper.text(0.45, 1.12, content.practice_address, points=8, face="serif")
    right = paper.text(3.6, 0.97, "Tél. :", points=8, face="serif")[2]
    paper.printed_field("prescriber_phone", "digits", content.prescriber_phone, right + 0.06, 0.97,
                        points=8, face="serif")  # fmt: skip
    labelled_row(paper, "Le", "date_written", "date", content.date_written, 3.6, 5.4, 1.45,
                 face="serif", rule=False)  # fmt: skip
    paper.rule(0.4, 1.6, 5.43, 1.6, points=0.9)
    labelled_row(paper, "Nom, Prénom :", "patient_name", "name", content.patient_name, 0.45, 5.3,
                 1.93, face="serif")  # fmt: skip
    labelled_row(paper, "Né(e) le :", "patient_dob", "date", content.patient_dob, 0.45, 2.5, 2.3,
                 face="serif")  # fmt: skip
    labelled_row(paper, "Âge :", "patient_age", "text", content.patient_age, 2.65, 3.75, 2.3,
                 face="serif")  # fmt: skip
    labelled_row(paper, "Poids :", "patient_weight", "text", content.patient_weight, 3.9, 5.3, 2.3,
                 face="serif")  # fmt: skip
    paper.text(2.9, 2.75, "ORDONNANCE", points=13, face="serif-bold", align="middle")
    medication_lines(paper, content, 0.6, 3.2, 6.5, right=5.4, numbered="{})", quantity="QSP {} j",
                     pitch=0.36, scale=1.2)  # fmt: skip
    check_box(paper, 0.45, 7.0, "Non substituable", checked=not content.substitution_allowed)
    x = paper.text(0.45, 7.32, "À renouveler", points=8)[2] + 0.15
    paper.field("refills", "refills", f"{content.refills} fois", x, 7.32)
    signature_line(paper, content, 3.4, 5.35, 7.3, "Signature", face="serif")
    if rng.random() < 0.4:
        rubber_stamp(paper, 4.3, 6.85, (f"Dr {content.prescriber_name}", content.specialty))
    return paper


@layout("spanish_receta")
def spanish_receta(content: PageContent, hand: Hand, rng: np.random.Generator, dpi: int) -> Paper:
    """Spanish half-letter paper: patient rows, one ruled block a drug, indications, signature."""
    paper = free_hand(Paper(5.5, 8.5, dpi, hand, rng))
    paper.box(0.15, 0.15, 5.35, 8.35, points=1.0)
    paper.printed_field("practice_name", "text", content.practice_name.upper(), 2.75, 0.5,
                        points=13, face="bold", align="middle")  # fmt: skip
    paper.printed_field("prescriber_name", "name", f"Dr. {content.prescriber_name}", 2.75, 0.72,
                        points=10, face="bold", align="middle")  # fmt: skip
    paper.text(2.75, 0.88, content.specialty, points=8, align="middle")
    right = paper.text(0.4, 1.08, "Teléfono:", points=7.5)[2]
    paper.printed_field("prescriber_phone", "digits", content.prescriber_phone, right + 0.06, 1.08,
                        points=7.5)  # fmt: skip
    paper.rule(0.3, 1.18, 5.2, 1.18, points=1.2)
    labelled_row(paper, "Paciente:", "patient_name", "name", content.patient_name, 0.4, 3.5, 1.52)
    labelled_row(paper, "Fecha:", "date_written", "date", content.date_written, 3.6, 5.15, 1.52)
    labelled_row(paper, "Edad:", "patient_age", "text", content.patient_age, 0.4, 1.4, 1.88)
    labelled_row(paper, "Sexo:", "patient_sex", "text", content.patient_sex, 1.5, 2.4, 1.88)
    labelled_row(paper, "Peso:", "patient_weight", "text", content.patient_weight, 2.5, 3.6, 1.88)
    labelled_row(paper, "Alergias:", "allergies", "text", content.allergies, 3.7, 5.15, 1.88)
    y, pitch = 2.25, min(1.55, 4.6 / len(content.medications))
    for group, one in enumerate(content.medications, start=1):
        tall = min(1.0, pitch / 1.3)
        paper.box(0.35, y, 5.15, y + pitch - 0.08)
        rows = (
            ("Medicamento:", "drug", one.drug, 0.24), ("Indicaciones:", "sig", one.sig, 0.6),
            ("Cantidad:", "quantity", one.quantity, 0.95),
        )  # fmt: skip
        for label, name, value, down in rows:
            labelled_row(paper, label, name, name, value, 0.45, 5.05, y + 0.05 + down * tall,
                         points=8, group=group, scale=0.75 + 0.35 * tall)  # fmt: skip
        y += pitch
    check_box(paper, 0.4, 7.35, "No sustituir", checked=not content.substitution_allowed)
    if rng.random() < 0.3:
        rubber_stamp(paper, 1.6, 7.8, ("ENTREGADO",))
    signature_line(paper, content, 3.1, 5.1, 7.75, "Firma del médico")
    return paper
