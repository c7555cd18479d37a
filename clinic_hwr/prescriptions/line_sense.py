"""What one line says of itself: a drug, directions, a quantity, a date, a person."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

from clinic_hwr.prescriptions.drug_line import read_drug_line, take_quantity
from clinic_hwr.prescriptions.lexicon import DrugLexicon
from clinic_hwr.prescriptions.sig import parse_sig

# A name this near to one of the lexicon may be it, where its place says drug too ...
_NEAR_IN_PLACE = 0.72
# ... with a number before it, with a strength or a form behind it, and with nothing of all that.
_NEAR_NUMBERED, _NEAR_DOSED, _NEAR_ALONE = 0.68, 0.6, 0.84
# A line of a drug's shape whose name is near to none: a name that no list has, or one misread.
_SHAPE_ONLY = 0.5
# Behind a number that may be a dose: near to a name, and a strength or a form.
_SURE_BEHIND_NUMBER = 0.9
# Share of a line's words that the sig grammar must place.
_MOSTLY = 0.6
_UNTIL = 4  # words of the shortest directions with a date: "1 daily until 5/3/26"
_SHORTEST_NAME, _SHORTEST_UNKNOWN, _SHORTEST_ALONE = 4, 5, 6
_NUMBER_ONLY = re.compile(r"^\s*#\s*[\dOoIl|]{1,4}\b")
_SIG_LABEL = re.compile(r"^\s*(?:s[il1][gq]|s|dir(?:ections)?)\s*[:.]\s*\S", re.IGNORECASE)
_REFILLS = re.compile(
    r"^\s*(?:refills?|rf|rpts?|repeats?|renouv\w*|ren|wdh)\b\W*(?:x\s*)?(?:\d{1,2}|no|none|zero|nr|prn)?\W*$"
    r"|^\s*no\s+refills?\W*$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\s*\(?\d{1,2}\s*[).:](?!\d)")
_LINE_NUMBER = re.compile(r"^\s*\d{1,2}\s*[).:]?\s+(?=[A-Za-z]{5,})")
_DOSE = re.compile(r"\d\s*(?:mg|mcg|µg|ug|g|ml|iu|ie|ui|units?|meq|mmol|%)\b", re.IGNORECASE)
STRENGTH_ONLY = re.compile(
    r"^\W*[\dOoIl.,/]{1,7}\s*(?:mg|mcg|µg|ug|g|ml|iu|ie|ui|units?|meq|%)\W*$", re.IGNORECASE
)
_DATE = re.compile(r"\b\d{1,2}\s*([/.-])\s*\d{1,2}\s*\1\s*(\d{4}|\d{2})\b")
_DATE_WORDS = re.compile(r"^(?:date|dated|le|du|den|am|vom|fecha|el|on)?$", re.IGNORECASE)
_SUPPLY_WORDS = (
    "supply", "disp", "dispense", "quantity", "qty", "qsp", "mitte", "cantidad", "menge", "anzahl",
)  # fmt: skip
_SUPPLY = re.compile(r"^\W*([A-Za-z]{3,10})\W*(\d{1,4})\W*([A-Za-z]{0,6})\W*$")
# "supplylo": a 10 that was read as letters, on the word.
_SUPPLY_GLUED = re.compile(
    rf"^\W*(?:{'|'.join(word for word in _SUPPLY_WORDS if len(word) > 4)})\W*[\dOoIl]{{1,4}}\W*$",
    re.IGNORECASE,
)
_COUNTED = frozenset({"j", "jours", "tab", "tabs", "tbl", "cap", "caps", "cp", "cps", "comp"})
_DOCTOR = re.compile(r"^\W*(?:dra?|doctor|docteur|prof)\b\.?\s+[A-ZÀ-Þ]\w+", re.IGNORECASE)
# The blank behind it is easily missed: "DrHugh Example".
_GLUED_DOCTOR = re.compile(r"^\W*(?:Dra?|Prof)\.?[A-ZÀ-Þ][a-zß-ÿ]+\s+[A-ZÀ-Þ][a-zß-ÿ]+\W*$")
_PATIENT = re.compile(r"^\W*(?:for|pour|para|für|pt|patient)\b\W+[A-ZÀ-Þ]\w+\s+[A-ZÀ-Þ]\w+\W*$")


def sense_of(
    text: str,
    alternatives: tuple[str, ...],
    place: str,
    lexicon: DrugLexicon,
    country: str | None,
) -> str:
    """Return what a line is by its words, "" when they do not tell.

    Args:
        text: the best reading.
        alternatives: others, best first.
        place: the name its place gave it, ``unnamed`` for none.
        lexicon: of drugs.
        country: whose abbreviations directions are written in.

    Returns:
        ``drug``, ``strength``, ``sig``, ``quantity``, ``refills``, ``date``,
        ``prescriber_name``, ``patient_name`` or "".
    """
    text = text.strip()
    if _is_date(text):
        return "date"
    if len(re.findall(r"[A-Za-z#]", text)) < 1:
        return ""  # a number alone may be anything
    if _DOCTOR.match(text) or _GLUED_DOCTOR.match(text):
        return "prescriber_name"
    if _PATIENT.match(text):
        return "patient_name"
    if _REFILLS.match(text):
        return "refills"
    quantity, refills, rest = take_quantity(text)
    if (quantity or _NUMBER_ONLY.match(text)) and not re.search(r"[A-Za-z]{3,}", rest):
        return "quantity"
    if _is_supply(text):
        return "quantity"
    if refills and not rest.strip(" ,;.-"):
        return "refills"
    if _SIG_LABEL.match(text):
        return "sig"
    if STRENGTH_ONLY.match(text):
        return "strength"
    return _drug_or_directions(text, alternatives, place, lexicon, country)


def _drug_or_directions(
    text: str,
    alternatives: tuple[str, ...],
    place: str,
    lexicon: DrugLexicon,
    country: str | None,
) -> str:
    # "1 Amlodipine 5 mg tab": the point behind the number of a line is soon lost.
    behind = _LINE_NUMBER.sub("", text)
    if behind != text and drug_likeness(behind, lexicon, place) >= _SURE_BEHIND_NUMBER:
        text, alternatives = behind, ()
    drug = max(drug_likeness(one, lexicon, place) for one in (text, *alternatives[:2]))
    directions = sig_likeness(text, country, place)
    if drug == 0 and directions == 0:
        return ""
    # Directions may hold a word near to a drug's name; a drug line may have directions behind it.
    if directions >= _MOSTLY and directions > drug:
        return "sig"
    return "drug" if drug > 0 else "sig" if directions >= _MOSTLY else ""


def year_of(text: str) -> int | None:
    """Return the year of a line that is a date, two digits as they stand; None without one."""
    found = _DATE.search(text)
    return int(found[2]) if found else None


def _is_date(text: str) -> bool:
    found = _DATE.search(text)
    if found is None:
        return False
    around = (text[: found.start()] + text[found.end() :]).strip(" .:,;-")
    return bool(_DATE_WORDS.match(around))


def _is_supply(text: str) -> bool:
    """Whether a line is a word for a quantity, perhaps misread by a letter, and a number."""
    if _SUPPLY_GLUED.match(text):
        return True
    found = _SUPPLY.match(text)
    if found is None:
        return False
    word = found[1].lower()
    if len(word) < 5:
        return word in _SUPPLY_WORDS or (found[3].lower() in _COUNTED and _nearly_supply(word))
    return any(fuzz.ratio(word, known) >= 80 for known in _SUPPLY_WORDS if len(known) >= 5)


def _nearly_supply(word: str) -> bool:
    """Whether a short word is one for a quantity but for a letter: "QSY 42 j"."""
    return any(
        len(word) == len(known) and sum(a != b for a, b in zip(word, known, strict=True)) == 1
        for known in _SUPPLY_WORDS
    )


def drug_likeness(text: str, lexicon: DrugLexicon, place: str = "drug") -> float:
    """How near a line's beginning is to a drug's name, 0..1.2; 0 for none."""
    if _DATE.search(text):
        return 0.0
    line = read_drug_line(text, lexicon)
    letters = sum(char.isalpha() for char in line.name)
    if letters < _SHORTEST_NAME:
        return 0.0
    # "tab po bid" at the place of directions is no drug: a form is in every second of them.
    dosed = bool(_DOSE.search(text)) or (line.form is not None and place != "sig")
    numbered = bool(_NUMBERED.match(text))
    if dosed:
        floor = _NEAR_DOSED
    elif numbered:
        floor = _NEAR_NUMBERED
    else:
        floor = _NEAR_IN_PLACE if place == "drug" else _NEAR_ALONE
        if place != "drug" and letters < _SHORTEST_ALONE:
            return 0.0
    matches = lexicon.match([(line.name, 1.0)], limit=1)
    score = matches[0].score if matches else 0.0
    if score < floor:
        shaped = _DOSE.search(text) is not None and letters >= _SHORTEST_UNKNOWN
        return _SHAPE_ONLY if shaped else 0.0
    return score + (0.2 if dosed or numbered else 0.0)


def sig_likeness(text: str, country: str | None, place: str = "sig") -> float:
    """Share of a line's words that are directions, 0..1; 0 when they say no dose and no time.

    A line that nobody named must say when or how often: "PO" or "10 mg" may stand in any cell. So
    must one at the place of a drug: "2 Xolbutrel 20 mg tab" is one whose name nobody knows.
    """
    if _DATE.search(text) and len(text.split()) < _UNTIL:
        return 0.0
    sig = parse_sig(text, country=country)
    words = re.findall(r"\w+", text)
    if not sig.dosages or not words:
        return 0.0
    timed = any(
        one.frequency or one.period or one.when or one.as_needed or one.timing_code
        for one in sig.dosages
    )
    dosed = any(one.dose is not None or one.route is not None for one in sig.dosages)
    if not timed and (not dosed or place == "drug" or (place == "unnamed" and len(words) < 3)):
        return 0.0
    left = sum(len(re.findall(r"\w+", piece)) for piece in sig.leftover)
    return max(0.0, 1.0 - left / len(words))
