"""``manage.py interpret``: its interface, its JSON, and that no line stops the others."""

from __future__ import annotations

import io
import json
import random
import string
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from fhir.resources.R4B.dosage import Dosage

from tests.prescriptions.sig_notation import WRITTEN_SIGS, written_sigs


def ask(*options: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("interpret", *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue(), parse_float=Decimal)
    return answer


def ask_lines(monkeypatch: pytest.MonkeyPatch, lines: bytes, *options: str) -> list[Any]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    out = io.StringIO()
    call_command("interpret", "--jsonl", *options, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_sig_becomes_a_fhir_dosage() -> None:
    answer = ask("--sig", "1-2 tabs po q4-6h prn pain, max 8/day x 5/7")

    (dosage,) = answer["dosage"]
    assert dosage["text"] == "1-2 tabs po q4-6h prn pain, max 8/day x 5/7"
    assert dosage["timing"]["repeat"] == {
        "boundsDuration": {
            "value": 5, "unit": "day", "system": "http://unitsofmeasure.org", "code": "d",
        },
        "frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h",
    }  # fmt: skip
    assert dosage["doseAndRate"][0]["doseRange"]["high"] == {
        "value": 2, "unit": "tablet", "system": "http://unitsofmeasure.org", "code": "{tablet}",
    }  # fmt: skip
    assert dosage["maxDosePerPeriod"]["numerator"]["value"] == 8
    assert dosage["asNeededCodeableConcept"] == {"text": "pain"}
    assert answer["plain_text"].startswith("Take 1 to 2 tablets by mouth every 4 to 6 hours")
    assert (answer["leftover"], answer["warnings"]) == ([], [])


def test_decimals_keep_the_digits_of_the_paper() -> None:
    (dosage,) = ask("--sig", "0.50 mg daily")["dosage"]

    assert str(dosage["doseAndRate"][0]["doseQuantity"]["value"]) == "0.50"


def test_offsets_and_ranges_of_duration_are_valid_r4() -> None:
    for sig in ("1 tab 30 min before breakfast for 5-7 days", "1 tab bid for up to 10 days"):
        (dosage,) = ask("--sig", sig)["dosage"]
        Dosage.model_validate_json(json.dumps(dosage, default=float))
        assert "boundsRange" in dosage["timing"]["repeat"]
    repeat = ask("--sig", "1 tab 1 hour before bedtime")["dosage"][0]["timing"]["repeat"]
    assert (repeat["when"], repeat["offset"]) == (["HS"], 60)


def test_every_written_sig_gives_valid_r4(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = written_sigs(WRITTEN_SIGS)
    lines = "\n".join(json.dumps({"sig": row.text, **row.context}) for row in rows)

    answers = ask_lines(monkeypatch, lines.encode())

    assert len(answers) == len(rows)
    for row, answer in zip(rows, answers, strict=True):
        assert set(answer) == {"dosage", "plain_text", "leftover", "warnings"}, row.text
        for dosage in answer["dosage"]:
            Dosage.model_validate(dosage)
            assert dosage["text"] == row.text


@pytest.mark.parametrize(
    ("sig", "options", "warning"),
    [
        ("10 U sc daily", (), '"U" is misread'),
        ("5 IU daily", (), '"IU" is misread'),
        ("1.0 mg daily", (), "trailing zero"),
        (".5 mg daily", (), "no zero before the point"),
        ("1 OD", (), "OD may mean once daily or the right eye"),
        ("MS 10 mg daily", (), '"MS" is morphine or magnesium'),
        ("", (), "There are no directions"),
        ("1 tab bid", ("--form", "blorp"), "The form “blorp” is not known"),
        ("1 tab bid", ("--country", "Mars"), "The country “Mars” is not known"),
    ],
)
def test_every_double_meaning_is_a_warning(
    sig: str, options: tuple[str, ...], warning: str
) -> None:
    assert any(warning in found for found in ask("--sig", sig, *options)["warnings"])


def test_form_route_and_country_decide() -> None:
    eye = ask("--sig", "1 OD bid", "--form", "eye drops")["dosage"][0]
    assert eye["site"] == {"text": "right eye"}
    assert eye["doseAndRate"][0]["doseQuantity"]["code"] == "[drp]"
    assert ask("--sig", "1 od", "--form", "Oral Tablet")["dosage"][0]["timing"]["code"]["text"] == (
        "QD"
    )
    assert ask("--sig", "1 od", "--country", "in")["warnings"] == []
    assert ask("--sig", "5 mL bid", "--route", "oral")["dosage"][0]["route"]["coding"][0][
        "code"
    ] == ("26643006")


def test_a_drug_line_is_ranked_with_reasons_and_resolved_to_one_product() -> None:
    answer = ask("--drug", "Lisinoprl 10 mg tab")

    first = answer["candidates"][0]
    assert (first["name"], first["rxcui"], first["tty"]) == ("lisinopril", "29046", "IN")
    assert 0.9 < first["score"] < 1
    assert first["why"][1:] == ["made in 10 mg", "made as tablet"]
    assert answer["product"]["rxcui"] == "314076"
    assert "readings_disagree" in answer["blockers"]


def test_a_strength_beside_the_line_and_an_unknown_drug() -> None:
    assert ask("--drug", "metformin tab", "--strength", "500 mg")["product"]["rxcui"] == "861007"
    unknown = ask("--drug", "Zzyzxol 10 mg")
    assert unknown["product"] is None
    assert unknown["blockers"] == ["unknown_drug"]


def test_lines_are_answered_in_order_and_bad_ones_stop_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [
        b'{"sig": "1 tab bid"}', b"nope", b"[1]", b"{}", b"", b'{"sig": 3}', b"\xff\xfe",
        b'{"sig": "1 tab bid", "drug": "x"}', b'{"sig": "1 tab bid", "form": 5}',
        b"[" * 5000, b'{"drug": "aspirin", "readings": [1]}',
        b'{"drug": "hydroxyzine 25 mg tab", "readings": [["hydralazine 25 mg tab", 0.4]]}',
        b'{"sig": "\\ud800 1 tab bid", "form": null}', b'{"sig": "2 tabs tid"}',
    ]  # fmt: skip

    answers = ask_lines(monkeypatch, b"\n".join(lines))

    assert [set(answer) == {"error"} for answer in answers] == [
        False, *[True] * 10, False, False, False,
    ]  # fmt: skip
    assert answers[0]["plain_text"] == "Take 1 tablet 2 times per day"
    assert "look_alike" in answers[11]["blockers"]
    assert answers[13]["plain_text"] == "Take 2 tablets 3 times per day"


def test_options_are_defaults_of_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b'{"sig": "1 od"}\n{"sig": "1 od", "country": "US"}'

    british, american = ask_lines(monkeypatch, lines, "--country", "UK")

    assert british["warnings"] == []
    assert american["warnings"] != []


def test_hostile_lines_are_answered_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(11)
    alphabet = string.printable + "½µ°éœ\u202e\u0000١"
    texts = ["".join(rng.choice(alphabet) for _ in range(rng.randrange(120))) for _ in range(300)]
    texts += ["(" * 3000, "1-" * 3000, "9" * 5000, "1 tab " * 2000, "a/" * 2000]
    lines = [json.dumps({key: text}) for text in texts for key in ("sig", "drug")]
    ask_lines(monkeypatch, b'{"drug": "aspirin"}\n{"sig": "1 tab bid"}')

    started = time.perf_counter()
    answers = ask_lines(monkeypatch, "\n".join(lines).encode())
    mean_s = (time.perf_counter() - started) / len(lines)

    assert len(answers) == len(lines)
    assert not any("error" in answer for answer in answers)
    assert mean_s < 0.05


def test_a_formulary_that_cannot_be_read_is_said(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "default.csv").write_text("drug,mg\nDolo,650\n")
    settings.CLINIC_HWR_FORMULARIES = str(tmp_path)

    with pytest.raises(CommandError, match="the first line must name columns"):
        ask("--drug", "Dolo 650")


def test_names_of_a_formulary_are_known(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "default.csv").write_text(
        "name,generic,strength,form,rxcui\nDolo 650,acetaminophen,650 mg,tablet,\n"
    )
    settings.CLINIC_HWR_FORMULARIES = str(tmp_path)

    first = ask("--drug", "Dolo 650 tab")["candidates"][0]

    assert (first["name"], first["generic_of"], first["score"]) == ("Dolo 650", "acetaminophen", 1)
    assert first["verified"] is False
    assert "from the formulary default" in first["why"]
