"""One key map for the page, the docs and the tests."""

from __future__ import annotations

import re
from pathlib import Path

from clinic_hwr.review.presentation import key_map

DOCS = Path(__file__).parents[2] / "docs" / "review.md"
SCRIPT = Path(__file__).parents[2] / "clinic_hwr/static/clinic_hwr/js/commands.js"


def test_the_docs_list_exactly_the_keys_of_the_page() -> None:
    chapter = DOCS.read_text().split("### Keys")[1].split("\n## ")[0]
    rows = [line for line in chapter.splitlines() if line.startswith("| `")]
    expected = [
        f"| {' '.join(f'`{key}`' for key in entry['keys'])} | {entry['mode']} | {entry['help']} |"
        for entry in key_map()
    ]

    assert rows == expected


def test_no_key_means_two_things_in_one_mode() -> None:
    meanings = [(entry["mode"], key) for entry in key_map() for key in entry["keys"]]

    assert len(meanings) == len(set(meanings))


def test_no_key_that_erases_text_decides_anything() -> None:
    keys = {key for entry in key_map() for key in entry["keys"]}

    assert not keys & {"Backspace", "Delete", " "}


def test_the_page_handles_every_action() -> None:
    script = SCRIPT.read_text()
    actions = {e["action"] for e in key_map() if not e["action"].startswith("candidate_")}

    handled = set(re.findall(r"^ {6}(\w+): \(", script, re.MULTILINE))
    assert actions == handled
