"""Rules of the house that no linter knows, checked on the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = sorted(
    path
    for folder in ("clinic_hwr", "ehr_adapters", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)


def imported_modules(source: str) -> Iterator[str]:
    """Yield the absolute dotted names a module imports, one for each imported name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_r5(module: str) -> bool:
    """Tell whether an import is of the R5 models at the root of fhir.resources.

    They silently drop ``medicationCodeableConcept``, the drug of an R4 MedicationRequest.
    """
    return f"{module}.".startswith("fhir.resources.") and not f"{module}.".startswith(
        "fhir.resources.R4B."
    )


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("from fhir.resources.R4B.bundle import Bundle", False),
        ("import fhir.resources.R4B.bundle", False),
        ("from fhir.resources.R4B import bundle", False),
        ("from fhir.resources import R4B", False),
        ("from fhir.resources.medicationrequest import MedicationRequest", True),
        ("from fhir.resources import construct_fhir_element", True),
        ("import fhir.resources", True),
    ],
)
def test_the_rule_tells_r4_from_r5(line: str, refused: bool) -> None:
    assert any(is_r5(module) for module in imported_modules(line)) is refused


def test_fhir_is_r4_everywhere() -> None:
    offenders = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in SOURCES
        for module in imported_modules(path.read_text())
        if is_r5(module)
    ]
    assert offenders == []


def test_no_signals() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if any(
            module.startswith(("django.db.models.signals", "django.dispatch"))
            for module in imported_modules(path.read_text())
        )
    ]
    assert offenders == []


def test_files_stay_readable_in_one_sitting() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in SOURCES
        if "migrations" not in path.parts
        and "tests" not in path.relative_to(ROOT).parts
        and (lines := len(path.read_text().splitlines())) > 400
    ]
    assert too_long == []
