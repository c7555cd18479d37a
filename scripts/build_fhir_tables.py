"""Make ``clinic_hwr/fhir/data/r4.json`` from HL7's definitions of R4 4.0.1 (public domain, CC0).

The table says of every element of the types the FHIR room handles: type, cardinality, whether it
belongs to a summary, which codes a required binding allows, and what a reference may point at.

usage: python scripts/build_fhir_tables.py FOLDER_WITH_THE_R4_DEFINITIONS
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

RESOURCES = (
    "AuditEvent", "Binary", "Bundle", "CapabilityStatement", "Composition", "Device",
    "DocumentReference", "List", "MedicationRequest", "OperationOutcome", "Organization",
    "Parameters", "Patient", "Practitioner", "Provenance", "Task",
)  # fmt: skip
TARGET = Path(__file__).parent.parent / "clinic_hwr" / "fhir" / "data" / "r4.json"
_PROFILE = "http://hl7.org/fhir/StructureDefinition/"
# The definitions in the shared data come through Medplum, which added elements of its own to Meta.
_NOT_R4 = {"Meta": ("account", "accounts", "author", "compartment", "onBehalfOf", "project")}
# Larger value sets are not worth carrying: languages, media types, all resource types.
_MOST_CODES = 80


def _entries(folder: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open(folder / name) as file:
        return [entry["resource"] for entry in json.load(file)["entry"]]


class _Codes:
    """The codes of the value sets that are written out in the definitions."""

    def __init__(self, folder: Path) -> None:
        found = [
            *_entries(folder, "valuesets.json.gz"),
            *_entries(folder, "v3-codesystems.json.gz"),
        ]
        self._sets = {each["url"]: each for each in found if each["resourceType"] == "ValueSet"}
        self._systems = {
            each["url"]: each for each in found if each["resourceType"] == "CodeSystem"
        }

    def of(self, canonical: str) -> list[str] | None:
        """Return the codes, or None when they are not all listed or too many."""
        value_set = self._sets.get(canonical.partition("|")[0])
        if value_set is None:
            return None
        codes: list[str] = []
        for include in value_set.get("compose", {}).get("include", []):
            if "filter" in include or "valueSet" in include:
                return None
            listed = include.get("concept")
            if listed is None:
                system = self._systems.get(include.get("system", ""))
                if system is None or system.get("content") != "complete":
                    return None
                listed = list(_flat(system.get("concept", [])))
            codes += [concept["code"] for concept in listed]
        return sorted(set(codes)) if 0 < len(codes) <= _MOST_CODES else None


def _flat(concepts: list[dict[str, Any]]) -> Any:
    for concept in concepts:
        yield concept
        yield from _flat(concept.get("concept", []))


def _type_code(kind: dict[str, Any]) -> str:
    """Return the FHIR type; ids and the values of primitives carry FHIRPath types."""
    for extension in kind.get("extension", []):
        if "valueUrl" in extension:
            return str(extension["valueUrl"])
    return str(kind["code"]).rpartition(".")[2].lower() if "/" in kind["code"] else kind["code"]


def _rows(element: dict[str, Any], codes: _Codes) -> dict[str, dict[str, Any]]:
    """Return name -> facts of one element; a choice has one row for each of its types."""
    path = element["path"]
    name = path.rpartition(".")[2]
    row: dict[str, Any] = {"min": element["min"], "max": element["max"]}
    if element.get("isSummary"):
        row["summary"] = True
    if "contentReference" in element:
        return {name: {**row, "type": element["contentReference"].removeprefix("#")}}
    binding = element.get("binding", {})
    if binding.get("strength") == "required":
        allowed = codes.of(binding.get("valueSet", ""))
        if allowed:
            row["codes"] = allowed
    found = {}
    for kind in element.get("type", []):
        code = _type_code(kind)
        each = dict(row, type=path if code in ("BackboneElement", "Element") else code)
        targets = sorted(t.removeprefix(_PROFILE) for t in kind.get("targetProfile", []))
        if targets and targets != ["Resource"]:
            each["targets"] = targets
        if name.endswith("[x]"):
            base = name.removesuffix("[x]")
            found[base + code[0].upper() + code[1:]] = {**each, "choice": base}
        else:
            found[name] = each
    return found


def main(folder: Path, target: Path = TARGET) -> None:
    """Write the table."""
    definitions = {
        each["type"]: each
        for name in ("profiles-types.json.gz", "profiles-resources.json.gz")
        for each in _entries(folder, name)
        if each["resourceType"] == "StructureDefinition" and each.get("derivation") != "constraint"
    }
    codes = _Codes(folder)
    table: dict[str, dict[str, Any]] = {}
    waiting = list(RESOURCES)
    while waiting:
        name = waiting.pop()
        definition = definitions.get(name)
        if name in table or definition is None or definition["kind"] == "primitive-type":
            continue
        table.setdefault(name, {})
        for element in definition["snapshot"]["element"][1:]:
            parent = element["path"].rpartition(".")[0]
            rows = _rows(element, codes)
            table.setdefault(parent, {}).update(rows)
            waiting += [row["type"] for row in rows.values()]
        if definition["kind"] == "resource":
            table[name]["id"]["type"] = "id"  # the definitions say string and mean id
    table.pop("Resource", None)
    for name, elements in _NOT_R4.items():
        for element in elements:
            table[name].pop(element, None)
    target.parent.mkdir(exist_ok=True)
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(rows, sort_keys=True)}"
        for name, rows in sorted(table.items())
    )
    target.write_text(f"{{\n{lines}\n}}\n", encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
