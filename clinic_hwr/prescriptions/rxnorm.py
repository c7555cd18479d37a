"""Read a full RxNorm release (RRF files) into the tables of the drug lexicon.

Source: "RxNorm Technical Documentation", NLM: fields of RXNCONSO, RXNREL and RXNSAT by position.
Only rows of the source RXNORM that are not suppressed are used; schedules come from MTHSPL labels.
"""

from __future__ import annotations

import gzip
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONCEPTS, RELATIONS, ATTRIBUTES = "RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF"

_NAME_TYPES = frozenset({"IN", "MIN", "PIN", "BN"})
_PRODUCT_TYPES = frozenset({"SCD", "SBD"})
_AMOUNT = re.compile(r"^(?P<name>.+?) (?P<strength>\d[\d.]* (?:\[?[A-Za-z%-]+\]?)(?:/[A-Z]+)?)$")
_VOLUME = re.compile(r"^(?P<volume>\d[\d.]* ML) (?=\S)")
# How long it lasts, what one press or one pen setting gives: parts of the name, not of the drug.
_RELEASE_TIME = re.compile(r"^(?:\d+(?:\.\d+)? (?:HR|ACTUAT|NDL) |(?:\d[\d.]* [A-Z]+,? )+Doses? )+")
_SCHEDULES = {"CII": "C-II", "CIII": "C-III", "CIV": "C-IV", "CV": "C-V"}


class RxNormError(ValueError):
    """The files are not what a release holds; the message says which line of which file."""


@dataclass(slots=True)
class Release:
    """A release as it is read: names, products, and what relates them.

    Attributes:
        names: RxCUI -> (name, term type) of ingredients, salts, combinations and brands.
        products: RxCUI -> (name, term type) of clinical and branded drugs.
        forms: names of dose forms.
        base: salt RxCUI -> ingredient RxCUI.
        brand_of: brand RxCUI -> ingredient RxCUIs.
        labels: RxCUI -> number of NDCs.
        ndcs: (NDC, RxCUI) of every product.
        schedules: RxCUI -> DEA schedule.
    """

    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    products: dict[str, tuple[str, str]] = field(default_factory=dict)
    forms: set[str] = field(default_factory=set)
    base: dict[str, str] = field(default_factory=dict)
    brand_of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    labels: Counter[str] = field(default_factory=Counter)
    ndcs: list[tuple[str, str]] = field(default_factory=list)
    schedules: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParsedProduct:
    """The parts of a product's name; strengths as in the packaged table."""

    ingredients: tuple[str, ...]
    strength: str
    dose_form: str
    brand: str


def read_release(conso: Path, rel: Path | None = None, sat: Path | None = None) -> Release:
    """Read a release.

    Args:
        conso: RXNCONSO.RRF.
        rel: RXNREL.RRF; without it salts and brands know their ingredients by name only.
        sat: RXNSAT.RRF; without it there are no NDCs and schedules.

    Raises:
        RxNormError: a line has too few fields, or there is not one ingredient.
    """
    release = Release()
    for row in _rows(conso, 17):
        cui, language, source, tty, text, suppressed = (
            row[0], row[1], row[11], row[12], row[14], row[16]
        )  # fmt: skip
        if source != "RXNORM" or language != "ENG" or suppressed not in {"N", ""}:
            continue
        if tty in _NAME_TYPES:
            release.names[cui] = (text, tty)
        elif tty in _PRODUCT_TYPES:
            release.products[cui] = (text, tty)
        elif tty == "DF":
            release.forms.add(text)
    if not any(tty == "IN" for _, tty in release.names.values()):
        raise RxNormError(f"{conso.name}: no ingredient (TTY IN of RXNORM) in this file.")
    if rel is not None:
        _read_relations(rel, release)
    if sat is not None:
        _read_attributes(sat, release)
    return release


def _rows(path: Path, fields: int) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, start=1):
            row = line.rstrip("\n").split("|")
            if len(row) < fields:
                raise RxNormError(
                    f"{path.name}, line {number}: {len(row)} fields, and at least {fields} belong "
                    "there. Is this the file of that name?"
                )
            yield row


def _read_relations(path: Path, release: Release) -> None:
    """ "RXCUI2 RELA RXCUI1": a salt is a form of an ingredient, a brand a trade name of one."""
    for row in _rows(path, 12):
        first, second, rela, source = row[0], row[4], row[7], row[10]
        if source != "RXNORM":
            continue
        if rela == "form_of" and second in release.names and first in release.names:
            release.base[second] = first
            continue
        kinds = [release.names.get(cui, ("", ""))[1] for cui in (second, first)]
        if rela == "tradename_of" and kinds[0] == "BN" and kinds[1] in {"IN", "MIN"}:
            release.brand_of[second].add(first)


def _read_attributes(path: Path, release: Release) -> None:
    for row in _rows(path, 12):
        cui, name, source, value, suppressed = row[0], row[8], row[9], row[10], row[11]
        if suppressed not in {"N", ""}:
            continue
        if name == "NDC" and source == "RXNORM" and cui in release.products:
            release.labels[cui] += 1
            release.ndcs.append((value, cui))
        elif name == "DCSA" and value in _SCHEDULES:
            release.schedules[cui] = _SCHEDULES[value]


def parse_product(name: str, forms: Sequence[str]) -> ParsedProduct | None:
    """Take a product's name apart; None when it is no name of one product (a pack).

    Args:
        name: "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]".
        forms: names of dose forms, longest first.
    """
    brand = ""
    if match := re.search(r" \[(?P<brand>[^\]]+)\]$", name):
        brand, name = match["brand"], name[: match.start()]
    form = next((form for form in forms if name.endswith(" " + form)), None)
    if form is None or name.startswith("{"):
        return None
    body = _RELEASE_TIME.sub("", name[: -len(form) - 1])
    volume = _VOLUME.match(body)
    if volume:
        body = body[volume.end() :]
    amounts = [_AMOUNT.match(part) for part in body.split(" / ")]
    if not all(amounts):
        return None
    found = [match for match in amounts if match is not None]
    strengths = [match["strength"] for match in found]
    if volume:
        strengths.insert(0, volume["volume"])
    return ParsedProduct(
        tuple(match["name"] for match in found), " / ".join(strengths), form, brand
    )


def write_tables(release: Release, folder: Path, edition: str) -> dict[str, int]:
    """Write the lexicon's tables.

    Args:
        release: what ``read_release`` read.
        folder: where to; made when it is not there.
        edition: the release date, for the source note.

    Returns:
        rows written by table.
    """
    note = (
        f"source: RxNorm {edition}, U.S. National Library of Medicine (NLM), loaded by this site; "
        "this product is not endorsed by NLM"
    )
    folder.mkdir(parents=True, exist_ok=True)
    ingredient_of = _ingredients_by_name(release)
    products, labels = _product_rows(release, ingredient_of)
    tables: dict[str, tuple[list[str], list[list[str]]]] = {
        "products.tsv.gz": (
            ["rxcui", "tty", "name", "ingredients", "strength", "dose_form", "brand"], products
        ),
        "ndc.tsv.gz": (["ndc", "rxcui"], sorted([a, b] for a, b in release.ndcs)),
        "drugs.tsv.gz": (
            ["name", "rxcui", "tty", "generic_of", "ndc_count", "verified", "form_groups",
             "strengths"],
            _name_rows(release, products, labels),
        ),
    }  # fmt: skip
    schedules = sorted(
        {
            (schedule, row[3].lower())
            for row in products
            if (schedule := release.schedules.get(row[0], "")) and " / " not in row[3]
        }
    )
    if schedules:
        tables["schedules.tsv.gz"] = (["schedule", "drug"], [list(row) for row in schedules])
    # The names go last: a lexicon is there when they are, and never half of one.
    for name, (columns, rows) in tables.items():
        _write(folder / name, note, columns, rows)
    return {name: len(rows) for name, (_, rows) in tables.items()}


def _ingredients_by_name(release: Release) -> dict[str, str]:
    """Name of an ingredient or salt, lower case -> name of the ingredient."""
    found = {}
    for cui, (name, tty) in release.names.items():
        if tty in {"IN", "PIN"}:
            base = release.names.get(release.base.get(cui, cui), (name, tty))
            found[name.lower()] = base[0]
    return found


def _product_rows(
    release: Release, ingredient_of: dict[str, str]
) -> tuple[list[list[str]], Counter[str]]:
    forms = sorted(release.forms, key=len, reverse=True)
    labels: Counter[str] = Counter()
    rows = []
    for cui, (name, tty) in sorted(release.products.items()):
        parsed = parse_product(name, forms)
        if parsed is None:
            continue
        pairs = [(ingredient_of.get(i.lower(), i), i) for i in parsed.ingredients]
        ingredients = " / ".join(sorted({base for base, _ in pairs}))
        labels[ingredients.lower()] += release.labels[cui]
        labels["brand:" + parsed.brand.lower()] += release.labels[cui]
        for written in {i.lower() for _, i in pairs}:
            labels["salt:" + written] += release.labels[cui]
        rows.append([cui, tty, name, ingredients, parsed.strength, parsed.dose_form, parsed.brand])
    return rows, labels


def _name_rows(
    release: Release, products: list[list[str]], labels: Counter[str]
) -> list[list[str]]:
    generic_by_brand = {row[6].lower(): row[3] for row in products if row[6]}
    strengths: dict[str, list[str]] = defaultdict(list)
    for _, tty, name, _, strength, form, _ in products:
        if tty == "SCD" and " / " not in strength:
            salt = re.sub(r" \d[\d.]* [A-Z%].*", "", _RELEASE_TIME.sub("", name)).lower()
            strengths[salt].append(f"{strength} {form}")
    rows = []
    for cui, (name, tty) in sorted(release.names.items()):
        generic, count, made = "", labels[name.lower()], ""
        if tty == "BN":
            owners = sorted(release.names[i][0] for i in release.brand_of.get(cui, ()))
            generic = owners[0] if len(owners) == 1 else generic_by_brand.get(name.lower(), "")
            count = labels["brand:" + name.lower()]
        elif tty == "PIN":
            count = labels["salt:" + name.lower()]
            made = "; ".join(dict.fromkeys(strengths.get(name.lower(), ())))
        rows.append([name, cui, tty, generic, str(count), "1", "", made])
    return rows


def _write(path: Path, note: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO()
    text.write(f"# {note}\n" + "\t".join(columns) + "\n")
    for row in rows:
        text.write("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row) + "\n")
    partial = path.with_suffix(".part")
    partial.write_bytes(gzip.compress(text.getvalue().encode("utf-8"), 9, mtime=0))
    partial.replace(path)
