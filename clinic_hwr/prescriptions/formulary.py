"""A site's formulary: names, strengths and codes of its own, on top of the lexicon.

A CSV file with a header. ``name`` is required; ``generic``, ``strength``, ``form`` and ``rxcui``
may be empty. One row a product; rows of one name are put together:

    name,generic,strength,form,rxcui
    Dolo 650,acetaminophen,650 mg,tablet,
    Augmentin Duo,amoxicillin / clavulanate,875 mg/125 mg,tablet,
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from clinic_hwr.prescriptions.forms import BY_NAME, form_named
from clinic_hwr.prescriptions.lexicon_entries import DrugEntry, name_key
from clinic_hwr.prescriptions.numbers import plain
from clinic_hwr.prescriptions.strengths import parse_strength
from clinic_hwr.prescriptions.types import Strength
from clinic_hwr.prescriptions.units import to_base

COLUMNS = ("name", "generic", "strength", "form", "rxcui")

# Above every count of labels: what a site lists itself comes first among equals.
_FIRST = 1_000_000


class FormularyError(ValueError):
    """A formulary cannot be read; the message names the file, the line and what to change."""


def read_formulary(path: Path, known: Sequence[DrugEntry] = ()) -> list[DrugEntry]:
    """Read a formulary.

    Args:
        path: UTF-8 CSV file with the columns above.
        known: entries of the lexicon; a generic found there lends its spelling.

    Raises:
        FormularyError: a column is unknown or missing, or a cell is not understood.
    """
    spelled = {name_key(entry.name): entry for entry in known if not entry.is_brand}
    rows: dict[str, list[dict[str, str]]] = {}
    for number, row in _rows(path):
        row["_line"] = str(number)
        rows.setdefault(name_key(row["name"]), []).append(row)
    return [_entry(path, group, spelled) for group in rows.values()]


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            if "name" not in names or set(names) - set(COLUMNS):
                raise FormularyError(
                    f"{path.name}: the first line must name columns out of {', '.join(COLUMNS)}; "
                    "“name” is required."
                )
            reader.fieldnames = names
            found = []
            for row in reader:
                cells = {key: (value or "").strip() for key, value in row.items() if key}
                if None in row:
                    raise FormularyError(f"{path.name}, line {reader.line_num}: too many cells.")
                if not name_key(cells["name"]):
                    raise FormularyError(f"{path.name}, line {reader.line_num}: no name.")
                found.append((reader.line_num, cells))
            return found
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormularyError(f"{path.name}: not a CSV file in UTF-8 ({error}).") from error


def _entry(path: Path, rows: list[dict[str, str]], spelled: dict[str, DrugEntry]) -> DrugEntry:
    name = rows[0]["name"]
    generics = {row.get("generic", "") for row in rows} - {""}
    if len(generics) > 1:
        raise FormularyError(
            f"{path.name}, line {rows[-1]['_line']}: “{name}” has two generics, "
            f"{' and '.join(sorted(generics))}."
        )
    generic = next(iter(generics), "")
    same = spelled.get(name_key(generic))
    made = [text for text in (_made(path, row) for row in rows) if text]
    codes = {row.get("rxcui", "") for row in rows} - {""}
    if any(not code.isdigit() for code in codes):
        raise FormularyError(f"{path.name}, line {rows[0]['_line']}: an RxCUI is digits only.")
    return DrugEntry(
        name=name,
        rxcui=next(iter(codes)) if len(codes) == 1 else "",
        tty="BN" if generic and name_key(generic) != name_key(name) else "IN",
        generic_of=same.name if same else generic,
        ndc_count=_FIRST,
        verified=bool(codes),
        groups=(),
        strengths="; ".join(dict.fromkeys(made)),
        source=f"the formulary {path.stem}",
    )


def _made(path: Path, row: dict[str, str]) -> str:
    """Return strength and form as RxNorm writes them, "" when no strength is given."""
    written, form = row.get("strength", ""), row.get("form", "")
    dose_form = ""
    if form:
        known = form_named(form)
        if known is None:
            raise FormularyError(
                f"{path.name}, line {row['_line']}: the form “{form}” is unknown; "
                f"known are {', '.join(sorted(BY_NAME))}."
            )
        dose_form = BY_NAME[known].listed
    if not written:
        return ""
    strength = parse_strength(written)
    text = rxnorm_strength(strength) if strength is not None else None
    if text is None:
        raise FormularyError(
            f"{path.name}, line {row['_line']}: the strength “{written}” is not understood; "
            "write it like 500 mg, 125 mg/5 mL or 875 mg/125 mg."
        )
    return f"{text} {dose_form}".strip()


_RXNORM_UNITS = {"mg": "MG", "[iU]": "UNT", "meq": "MEQ", "%": "%", "mmol": "MMOL", "mL": "ML"}
_RXNORM_PER = {"mL": "ML", "h": "HR", "{puff}": "ACTUAT", "{spray}": "ACTUAT", "mg": "MG",
               "{dose}": "ACTUAT", "{inhalation}": "ACTUAT"}  # fmt: skip


def rxnorm_strength(strength: Strength) -> str | None:
    """Write a strength as RxNorm does ("25 MG/ML"), or None where it has no such unit."""
    amounts = []
    for value, unit in ((strength.value, strength.unit), *strength.others):
        number, base = to_base(value, unit)
        written = _RXNORM_UNITS.get(base)
        if written is None:
            return None
        per = ""
        if strength.per_unit is not None:
            per_number, per_base = to_base(strength.per_value or Decimal(1), strength.per_unit)
            if per_base not in _RXNORM_PER or not per_number:
                return None
            number, per = number / per_number, f"/{_RXNORM_PER[per_base]}"
        amounts.append(f"{plain(round(number, 6))} {written}{per}")
    return " / ".join(amounts)
