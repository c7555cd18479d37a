"""Load the drug lexicon: the packaged one or a newer release, with a site's formulary on top."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from clinic_hwr.prescriptions.drug_lexicon import DrugLexicon
from clinic_hwr.prescriptions.formulary import read_formulary
from clinic_hwr.prescriptions.lexicon_entries import DrugEntry, Product
from clinic_hwr.prescriptions.tables import read_note, read_table

_CODES = "product_codes.tsv.gz"

__all__ = ["DrugLexicon", "lexicon_source", "load_lexicon"]


def load_lexicon(folder: Path | None = None, formulary: Path | None = None) -> DrugLexicon:
    """Load a lexicon once a process and state of its files (about a quarter of a second).

    Args:
        folder: tables that ``manage.py load_rxnorm`` wrote; the packaged ones when None.
        formulary: CSV file of a site, whose names stand above the others.

    Raises:
        FileNotFoundError: the folder or file is not there.
        FormularyError: the formulary cannot be read; the message names the line.
    """
    return _load(folder, _state(folder and folder / "drugs.tsv.gz"), formulary, _state(formulary))


def _state(path: Path | None) -> int:
    return path.stat().st_mtime_ns if path is not None else 0


@lru_cache(maxsize=16)
def _load(
    folder: Path | None, _folder_state: int, formulary: Path | None, _formulary_state: int
) -> DrugLexicon:
    entries = [
        DrugEntry(
            name=name,
            rxcui=rxcui,
            tty=tty,
            generic_of=generic_of,
            ndc_count=int(ndc_count),
            verified=verified == "1",
            groups=tuple(part for part in groups.split(";") if part),
            strengths=strengths,
        )
        for name, rxcui, tty, generic_of, ndc_count, verified, groups, strengths in read_table(
            "drugs.tsv.gz", folder
        )
    ]
    products = [Product(*row) for row in read_table("products.tsv.gz", folder)]
    if formulary is not None:
        entries.extend(read_formulary(formulary, entries))
    # A release brings its own schedules; what is recalled fills the gaps of the packaged one only.
    schedules = "schedules.tsv.gz"
    own_schedules = folder if folder is not None and (folder / schedules).is_file() else None
    return DrugLexicon(
        entries,
        products,
        synonyms=[(w, n, flag == "1") for w, n, flag in read_table("international_names.tsv")],
        recalled_strengths=[(name, made) for name, made in read_table("recalled_strengths.tsv")],
        lookalikes=[(a, b) for a, b, _ in read_table("lookalikes.tsv.gz")],
        tallman=[(name, tall) for name, tall in read_table("tallman.tsv.gz")],
        schedules=[(schedule, drug) for schedule, drug in read_table(schedules, own_schedules)],
        high_alert=[(name, alert) for name, alert in read_table("high_alert.tsv")],
        # A release has the strength of every code: only the packaged tables lack some.
        codes=[]
        if folder is not None
        else [(n, group, codes.split(",")) for n, group, codes in read_table(_CODES)],
    )


def lexicon_source(folder: Path | None = None) -> str:
    """Return source, edition and owner of the drug names, for pages and reports."""
    return read_note("drugs.tsv.gz", folder).removeprefix("source: ")
