"""A wheel carries every file of the packages that the product reads at run time."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "clinic_hwr"


def packaged_files() -> set[str]:
    """Return what setuptools takes by ``package-data``; its patterns are those of glob."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["clinic_hwr"]
    return {
        str(path.relative_to(PACKAGE))
        for pattern in patterns
        for path in PACKAGE.glob(pattern)
        if path.is_file()
    }


def test_every_data_file_of_the_package_is_in_package_data() -> None:
    data_files = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if path.is_file()
        and path.suffix not in {".py", ".part"}
        and "__pycache__" not in path.parts
    }

    assert data_files - packaged_files() == set()


def test_the_templates_beside_the_package_are_part_of_it() -> None:
    beside = ROOT / "templates"
    pages = {f"templates/{path.relative_to(beside)}" for path in beside.rglob("*.html")}

    assert "templates/review/workstation.html" in pages
    assert pages - packaged_files() == set()
