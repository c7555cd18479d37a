"""Build the packaged drug lexicon from the source tables (see docs/interpretation.md).

Reads the tables of ``--source`` and writes compact gzip files with a header line that names source
and date. Files written by hand (high alert, error-prone abbreviations,
international names, recalled strengths) are kept as
they are. The output is byte-identical for the same input.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.prescriptions.rxnorm import parse_product

DATA = Path(__file__).resolve().parent.parent / "clinic_hwr" / "prescriptions" / "data"

RXNORM = (
    "source: RxNorm Current Prescribable Content 2025-10 and RxTerms 2022-02, "
    "U.S. National Library of Medicine (NLM); this product is not endorsed by NLM"
)
RECALLED = "source: written for this project from public lists, recalled and not audited"

# Sources that were looked up; any other row is recalled and shipped as unverified.
LOOKED_UP = {"RXN", "RXN-products", "RXT", "RXT+CPIC(CC0)"}


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a tab-separated file with a header, values stripped."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [{key: (value or "").strip() for key, value in row.items()} for row in rows]


def write_table(
    path: Path, note: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Write a gzip table: ``# note``, header line, rows; no timestamp inside."""
    text = io.StringIO()
    text.write(f"# {note}\n")
    text.write("\t".join(columns) + "\n")
    for row in rows:
        text.write("\t".join(row) + "\n")
    path.write_bytes(gzip.compress(text.getvalue().encode("utf-8"), 9, mtime=0))


def form_groups(text: str) -> str:
    """Return the RxTerms form groups of a ``Group (SCD/SBD rxcui 1,2); ...`` cell."""
    groups = [part.split(" (")[0].strip() for part in text.split(";") if "rxcui" in part]
    return ";".join(dict.fromkeys(group for group in groups if group))


def code_rows(source: Path) -> list[list[str]]:
    """(name, form group, RxCUIs) of drugs whose product codes are known and strengths are not."""
    rows = []
    for drug in read_table(source / "drugs.tsv"):
        for part in drug["strengths_forms"].split(";"):
            match = re.fullmatch(r"\s*(.+?) \(SCD/SBD rxcui ([\d,]+)\)\s*", part)
            if match:
                rows.append([drug["name"], match[1], match[2]])
    return rows


def drug_rows(source: Path) -> list[list[str]]:
    """One row a name; strengths only where the product table cannot give them."""
    rows = []
    for drug in read_table(source / "drugs.tsv"):
        forms = drug["strengths_forms"]
        is_group = "rxcui" in forms
        # A precise ingredient (salt) has no row of its own in the product table.
        strengths = forms if drug["tty"] == "PIN" and not is_group else ""
        rows.append(
            [
                drug["name"],
                drug["rxcui"],
                drug["tty"],
                drug["generic_of_brand"],
                drug["ndc_count"] or "0",
                "1" if drug["source"] in LOOKED_UP else "0",
                form_groups(forms) if is_group else "",
                strengths,
            ]
        )
    return rows


def product_rows(source: Path) -> list[list[str]]:
    """One row a product, in the order of the source.

    Where the source took a dose setting of a pen for the ingredient ("0.25 MG, 0.5 MG Dose 3 ML
    semaglutide ..."), the name is taken apart anew.
    """
    products = [
        [row[key] for key in ("rxcui", "tty", "name", "ingredients", "strength", "dose_form")]
        + [row["brand"]]
        for row in read_table(source / "rxnorm_products.tsv")
        if row["tty"] in {"SCD", "SBD"}  # packs hold several drugs: never one line's product
    ]
    forms = sorted({row[5] for row in products}, key=len, reverse=True)
    for row in products:
        if re.search(r"\bDoses?\b|,$|VECTOR-GENOMES", row[3]):
            parsed = parse_product(row[2], forms)
            if parsed is not None:
                row[3], row[4] = " / ".join(parsed.ingredients), parsed.strength
    return products


def main() -> None:
    """Write every packaged table and print its size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--source", type=Path, required=True, help="folder with the source tables")
    parser.add_argument("--out", type=Path, default=DATA)
    options = parser.parse_args()
    source: Path = options.source
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    write_table(
        out / "drugs.tsv.gz",
        RXNORM,
        ["name", "rxcui", "tty", "generic_of", "ndc_count", "verified", "form_groups", "strengths"],
        drug_rows(source),
    )
    products = product_rows(source)
    write_table(
        out / "products.tsv.gz",
        RXNORM,
        ["rxcui", "tty", "name", "ingredients", "strength", "dose_form", "brand"],
        products,
    )
    write_table(
        out / "product_codes.tsv.gz", RXNORM, ["name", "form_group", "rxcuis"], code_rows(source)
    )
    tables = [
        ("lookalike_pairs.tsv", "lookalikes.tsv.gz", ("name_a", "name_b", "basis"), RECALLED),
        ("tallman_names.tsv", "tallman.tsv.gz", ("name", "tallman"), RXNORM),
        ("dea_schedules_common.tsv", "schedules.tsv.gz", ("schedule", "drug"), RECALLED),
    ]
    for name, target, columns, note in tables:
        rows = [[row[column] for column in columns] for row in read_table(source / name)]
        write_table(out / target, note, columns, rows)
    for path in sorted(out.iterdir()):
        print(f"{path.stat().st_size:>9}  {path.name}")


if __name__ == "__main__":
    main()
