"""The packaged lexicon: what it holds, what it says of availability, and how it matches."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import pytest
from rapidfuzz.distance import OSA

from clinic_hwr.prescriptions.lexicon import DrugLexicon, lexicon_source, load_lexicon
from clinic_hwr.prescriptions.lexicon_entries import name_key
from clinic_hwr.prescriptions.questions import drug_question
from clinic_hwr.prescriptions.strengths import parse_strength
from clinic_hwr.prescriptions.types import Strength


@pytest.fixture(scope="module")
def lexicon() -> DrugLexicon:
    return load_lexicon()


def strength(text: str) -> Strength:
    found = parse_strength(text)
    assert found is not None
    return found


def test_the_package_names_its_source_and_stays_small() -> None:
    assert "RxNorm Current Prescribable Content 2025-10" in lexicon_source()
    assert "National Library of Medicine" in lexicon_source()

    folder = resources.files("clinic_hwr.prescriptions") / "data"
    sizes = {item.name: len(item.read_bytes()) for item in folder.iterdir()}
    assert sum(sizes.values()) < 2_000_000
    for name in sizes:
        raw = (folder / name).read_bytes()
        text = gzip.decompress(raw) if name.endswith(".gz") else raw
        assert text.startswith(b"# source: "), name


def test_loads_in_under_a_second() -> None:
    code = (
        "import time; from clinic_hwr.prescriptions.lexicon import load_lexicon;"
        "t = time.process_time(); load_lexicon(); print(time.process_time() - t)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(out.stdout) < 1.0


def test_holds_the_whole_list_with_names_of_other_countries(lexicon: DrugLexicon) -> None:
    assert len(lexicon.names) > 8500
    assert {"lisinopril", "Zestril", "paracetamol", "salbutamol"} <= set(lexicon.names)


@pytest.mark.parametrize(
    ("written", "name", "rxcui", "verified"),
    [
        ("Lisinopril", "lisinopril", "29046", True),
        ("ZESTRIL", "Zestril", "196472", True),
        ("lisinopril / hctz", "hydrochlorothiazide / lisinopril", None, True),
        ("HCTZ-lisinopril", "hydrochlorothiazide / lisinopril", None, True),
        ("Metformin HCl", "metformin hydrochloride", "235743", True),
        ("paracetamol", "acetaminophen", "161", False),  # recalled: starts with A
        ("amoxicillin", "amoxicillin", "723", False),
        ("Tylenol", "Tylenol", None, False),  # brand without a code in the source
    ],
)
def test_exact_names(
    lexicon: DrugLexicon, written: str, name: str, rxcui: str | None, verified: bool
) -> None:
    match = lexicon.match_exact(written)

    assert match is not None
    assert (match.name, match.score, match.verified) == (name, 1.0, verified)
    if rxcui is not None or name == "Tylenol":
        assert match.rxcui == rxcui


def test_a_recalled_name_is_never_verified(lexicon: DrugLexicon) -> None:
    # albuterol itself was looked up; that salbutamol is the same was not
    assert lexicon.match([("albuterol", 1.0)])[0].verified
    assert not lexicon.match([("salbutamol", 1.0)])[0].verified


@pytest.mark.parametrize("text", ["", "   ", "Zzyzxolium", "x" * 5000, "500"])
def test_nothing_near_gives_nothing(lexicon: DrugLexicon, text: str) -> None:
    assert lexicon.match_exact(text) is None
    assert lexicon.match([(text, 1.0)]) == ()


def test_one_wrong_letter_is_found_and_scored_below_one(lexicon: DrugLexicon) -> None:
    best = lexicon.match([("Lisinoprll", 0.8)])[0]

    assert best.name == "lisinopril"
    assert 0.85 < best.score < 1.0


def test_an_exact_first_reading_stands_before_all(lexicon: DrugLexicon) -> None:
    found = lexicon.match([("hydralazine", 0.34), ("hydroxyzine", 0.33)])

    assert [match.name for match in found[:2]] == ["hydralazine", "hydroxyzine"]
    assert found[0].score == 1.0


def test_a_later_reading_can_be_the_drug(lexicon: DrugLexicon) -> None:
    found = lexicon.match([("lnsmopnl", 0.5), ("lisinopril", 0.4)])

    assert found[0].name == "lisinopril"


def test_the_written_strength_decides_between_near_names(lexicon: DrugLexicon) -> None:
    # "glipyride" is as near to glipizide as to glyburide; 1.25 mg is made of one only
    for text, name in (("1.25 mg", "glyburide"), ("10 mg", "glipizide")):
        found = lexicon.match([("glypiride", 1.0)], strength=strength(text), form="tablet")
        ranks = [match.name for match in found]
        others = {"glyburide", "glipizide"} - {name}
        assert name in ranks
        assert all(ranks.index(name) < ranks.index(o) for o in others if o in ranks)


@pytest.mark.parametrize(
    ("drug", "text", "form", "expected"),
    [
        ("lisinopril", "10 mg", "tablet", True),
        ("lisinopril", "15 mg", "tablet", False),
        ("levothyroxine", "50 mcg", "tablet", True),  # RxNorm writes 0.05 MG
        ("cephalexin", "250 mg/5 mL", "suspension", True),  # 50 MG/ML
        ("amoxicillin / clavulanate", "875-125 mg", "tablet", True),
        ("Augmentin", "875 mg", "tablet", True),  # named by its first part
        ("Augmentin", "625 mg", "tablet", True),  # named by the sum
        ("hydrocodone / acetaminophen", "5/325", "tablet", True),
        ("insulin glargine", "100 units/mL", None, True),
        ("amoxicillin", "500 mg", "capsule", True),
        ("amoxicillin", "510 mg", "capsule", False),
        ("oseltamivir", "1 kg", None, False),
    ],
)
def test_strength_is_made(
    lexicon: DrugLexicon, drug: str, text: str, form: str | None, expected: bool
) -> None:
    entry = lexicon.find(drug)
    assert entry is not None

    assert lexicon.availability(entry, strength=strength(text), form=form).strength is expected


def test_recalled_strengths_are_not_verified(lexicon: DrugLexicon) -> None:
    for drug, verified in (("amoxicillin", False), ("lisinopril", True)):
        entry = lexicon.find(drug)
        assert entry is not None
        made = lexicon.availability(entry, strength=strength("10 mg"), form=None)
        assert made.verified is verified


@pytest.mark.parametrize(
    ("drug", "text", "form", "release", "product"),
    [
        ("warfarin", "5 mg", "tablet", "", "warfarin sodium 5 MG Oral Tablet"),
        ("metformin", "500 mg", "tablet", "", "metformin hydrochloride 500 MG Oral Tablet"),
        ("lisinopril", "10 mg", None, "", None),  # the form is not written
        ("lisinopril", "15 mg", "tablet", "", None),
        ("amoxicillin", "500 mg", "capsule", "", None),  # no looked-up product
    ],
)
def test_product_only_when_it_is_exactly_one(
    lexicon: DrugLexicon, drug: str, text: str, form: str | None, release: str, product: str | None
) -> None:
    entry = lexicon.find(drug)
    assert entry is not None

    found = lexicon.product(entry, strength=strength(text), form=form, release=release)

    assert (found.name if found else None) == product


@pytest.mark.parametrize(
    ("drug", "schedule"),
    [
        ("oxycodone", "C-II"),
        ("Percocet", "C-II"),
        ("acetaminophen / codeine", "C-III"),
        ("codeine", "C-II"),
        ("morphine sulfate", "C-II"),
        ("alprazolam", "C-IV"),
        ("pregabalin", "C-V"),
        ("lisinopril", ""),
    ],
)
def test_schedules(lexicon: DrugLexicon, drug: str, schedule: str) -> None:
    entry = lexicon.find(drug)
    assert entry is not None
    assert lexicon.schedule_of(entry) == schedule


@pytest.mark.parametrize(
    ("drug", "alert"),
    [
        ("insulin glargine", "insulin"),
        ("Lantus", "insulin"),
        ("warfarin", "antithrombotic"),
        ("methotrexate", "methotrexate"),
        ("lisinopril", ""),
    ],
)
def test_high_alert(lexicon: DrugLexicon, drug: str, alert: str) -> None:
    entry = lexicon.find(drug)
    assert entry is not None
    assert lexicon.high_alert_class(entry) == alert


def test_tall_man_letters(lexicon: DrugLexicon) -> None:
    match = lexicon.match_exact("hydralazine")
    assert match is not None
    assert match.tallman == "hydrALAZINE"


def test_every_high_alert_and_foreign_name_is_in_the_lexicon(lexicon: DrugLexicon) -> None:
    from clinic_hwr.prescriptions.tables import read_table

    targets = [name for _, name, _ in read_table("international_names.tsv")]
    targets += [name for name, _ in read_table("recalled_strengths.tsv")]
    assert [name for name in targets if lexicon.find(name) is None] == []


def test_one_recognizer_error_is_undone_for_most_names(lexicon: DrugLexicon) -> None:
    """A floor on a seeded sample; benchmarks/drug_match.py measures the whole lexicon."""
    rng = random.Random(7)
    names = [n for n in lexicon.names if 6 <= len(n) <= 16 and " " not in n]
    sample = rng.sample(names, 150)
    first = 0
    started = time.process_time()
    for name in sample:
        at = rng.randrange(len(name))
        letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
        wrong = name[:at] + letter + name[at + 1 :]
        best = lexicon.match([(wrong, 1.0)])[0]
        truth = lexicon.match_exact(name)
        assert truth is not None
        first += best.name == truth.name
    ms = (time.process_time() - started) / len(sample) * 1000

    assert first >= 135
    assert ms < 20


def test_the_build_script_is_repeatable(tmp_path: Path) -> None:
    import os

    source = Path(os.environ.get("CLINIC_HWR_DATA", "/nonexistent")) / "lexicons"
    if not source.is_dir():
        pytest.skip("CLINIC_HWR_DATA does not name a folder with lexicons/")
    script = Path(__file__).parents[2] / "scripts" / "build_lexicon.py"
    subprocess.run(
        [sys.executable, str(script), "--source", str(source), "--out", str(tmp_path)],
        check=True,
        capture_output=True,
    )
    packaged = resources.files("clinic_hwr.prescriptions") / "data"
    for built in tmp_path.iterdir():
        # compared unpacked: zlib versions may pack the same bytes differently
        theirs = gzip.decompress((packaged / built.name).read_bytes())
        assert gzip.decompress(built.read_bytes()) == theirs, built.name


def test_comparing_only_names_of_a_fitting_length_loses_none() -> None:
    lexicon = load_lexicon()
    keys = [name_key(name) for name in lexicon.names]

    for text in ("lisinoprl", "abc", "peanut allergenic extyact", "betaine / folic acid / pgrid"):
        near = [key for key in keys if OSA.normalized_similarity(text, key) >= 0.6]
        assert set(near) <= set(lexicon._keys_about(len(text), 0.6))


def test_a_very_long_name_is_answered_as_quickly_as_others() -> None:
    lexicon = load_lexicon()
    longest = max(lexicon.names, key=len)
    drug_question("lisinopril 10 mg tab 1 daily")  # builds the tables and the grammar

    for text in (longest, longest.replace("e", "c", 3), "x" + longest[:400]):
        spent = []
        for _ in range(3):  # a collection of memory may hit one of them
            lexicon._similar.cache_clear()
            started = time.process_time()
            drug_question(text)
            spent.append(time.process_time() - started)
        assert min(spent) < 0.02, (text[:20], spent)  # 6 ms; 65 ms once
