"""Text as prescriptions have it, and some that they never have.

A model trained on drug names alone would see drug names everywhere: a share of the text is
random on purpose, so that it reads what is there instead of what it expects.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

FORMS = (
    "tab|tabs|Tab|cap|caps|Cap|susp|syr|syrup|inj|cream|oint|drops|gtt|puffs|patch|supp|"
    "T.|C.|Inj.|Syp.|tablet|soln"
).split("|")
ROUTES = ("po|PO|p.o.|IV|IM|SC|subq|PR|SL|top|by mouth|orally|inh|OU|OD|OS|AU|nasal").split("|")
FREQUENCIES = (
    "qd|daily|bid|BID|b.i.d.|tid|TID|t.i.d.|qid|QID|q4h|q6h|q8h|q12h|q4-6h|qhs|hs|HS|qam|"
    "qpm|ac|pc|bd|tds|od|OD|stat|weekly|every day|twice daily|once daily|every 6 hours|"
    "1-0-1|1-1-1|0-0-1|1-0-0|q.d.|nocte|mane|every other day|3x/week|at bedtime|"
    "with meals|with food|in the morning"
).split("|")
PRN = (
    "prn|PRN|prn pain|prn nausea|prn cough|as needed|SOS|prn anxiety|prn fever|prn itching|for pain"
).split("|")
UNITS = ("mg|mcg|g|mL|ml|MG|units|%|mEq|IU|mg/5mL|mg/ml").split("|")
STRENGTHS = (
    "0.1|0.125|0.25|0.5|1|2|2.5|5|7.5|10|12.5|15|20|25|30|40|50|60|75|80|100|120|125|150|"
    "160|200|250|300|325|400|500|600|625|650|750|800|875|1000|1g"
).split("|")
GIVEN = (
    "John|Mary|James|Anna|Robert|Linda|Ahmed|Fatima|Wei|Maria|Carlos|Priya|David|Sarah|"
    "Olga|Tomas|Grace|Peter|Susan|Hassan|Elena|Jane|Paul|Rahul|Nadia|Kevin|Laura|George|"
    "Ruth|Victor"
).split("|")
FAMILY = (
    "Smith|Johnson|Brown|Garcia|Miller|Rahman|Khan|Patel|Nguyen|Lopez|Wilson|Martin|Lee|"
    "Clark|Young|Kumar|Singh|Ali|Chen|Ivanov|Schmidt|Rossi|Silva|Cohen|Murphy|Walker|"
    "Evans|Okafor|Novak"
).split("|")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")
SEPARATORS = ("/", "-", ".")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_VOWELS, _CONSONANTS = "aeiouy", "bcdfghjklmnpqrstvwxz"


def load_drug_names(data_dir: Path) -> tuple[str, ...]:
    """Return drug names of at most 24 characters from ``lexicons/drugs.tsv``."""
    path = data_dir / "lexicons" / "drugs.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    names = (line.split("\t", 1)[0] for line in lines)
    return tuple(name for name in names if 2 < len(name) <= 24)


def load_lookalikes(data_dir: Path) -> tuple[str, ...]:
    """Return the names of ``lexicons/lookalike_pairs.tsv`` in lower case."""
    path = data_dir / "lexicons" / "lookalike_pairs.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return tuple(sorted({name.lower() for line in lines for name in line.split("\t")[:2] if name}))


class NameInventor:
    """Invents names that sound like the given ones: a chain over the last three letters."""

    def __init__(self, names: Sequence[str]):
        self.next: dict[str, list[str]] = {}
        for name in names:
            word = "^^^" + name.split(" ")[0].lower() + "$"
            for i in range(3, len(word)):
                self.next.setdefault(word[i - 3 : i], []).append(word[i])

    def name(self, rng: np.random.Generator, longest: int = 12) -> str:
        """Invent one name of at most ``longest`` letters."""
        text = "^^^"
        while len(text) < longest + 3:
            char = _pick(rng, self.next[text[-3:]])
            if char == "$":
                break
            text += char
        return text[3:]


class TextSampler:
    """Draws texts; every method takes the generator, so a seed fixes the result.

    Args:
        drug_names: lexicon to draw drug names from.
        words: ordinary words, for text that is no prescription.
        lookalikes: names that are mistaken for one another, drawn more often.
    """

    def __init__(
        self, drug_names: Sequence[str], words: Sequence[str], lookalikes: Sequence[str] = ()
    ):
        self.drug_names = drug_names
        self.words = words
        self.lookalikes = lookalikes
        self.inventor = NameInventor(drug_names)

    def word(self, rng: np.random.Generator) -> str:
        """One word or number."""
        kind = rng.random()
        if kind < 0.34:
            return self.drug(rng)
        if kind < 0.48:
            return _case(self.inventor.name(rng), rng)
        if kind < 0.53:
            return self.pseudo_word(rng)
        if kind < 0.62:
            return self.strength(rng)
        if kind < 0.70:
            return _pick(rng, FREQUENCIES + PRN + ROUTES + FORMS)
        if kind < 0.76:
            return self.date(rng)
        if kind < 0.82:
            return self.number(rng)
        if kind < 0.88:
            return _pick(rng, GIVEN + FAMILY)
        if kind < 0.93:
            return self.random_string(rng)
        return _case(_pick(rng, self.words), rng)

    def line(self, rng: np.random.Generator) -> str:
        """A short line: a drug line, directions, a quantity, a name, a date or other words."""
        kind = rng.random()
        if kind < 0.35:
            parts = [self.drug(rng), self.strength(rng)]
            if rng.random() < 0.5:
                parts.append(_pick(rng, FORMS))
            if rng.random() < 0.2:
                parts.insert(0, _pick(rng, ("Tab", "Cap", "T.", "Inj.", "Syp.", "1)", "2)", "Rx")))
            if rng.random() < 0.2:
                parts.append("#" + str(rng.integers(1, 121)))
            return " ".join(parts)
        if kind < 0.70:
            return self.sig(rng)
        if kind < 0.78:
            return self.quantity(rng)
        if kind < 0.86:
            return self.person(rng)
        if kind < 0.92:
            return self.date(rng)
        return " ".join(self.word(rng) for _ in range(rng.integers(2, 4)))

    def person(self, rng: np.random.Generator) -> str:
        """A given name, sometimes an initial, and a family name."""
        middle = f" {_pick(rng, 'ABCDEFGHJKLMNPRSTW')}." if rng.random() < 0.3 else ""
        return f"{_pick(rng, GIVEN)}{middle} {_pick(rng, FAMILY)}"

    def drug(self, rng: np.random.Generator) -> str:
        """A drug name in one of the usual cases."""
        often = self.lookalikes and rng.random() < 0.15
        name = _pick(rng, self.lookalikes if often else self.drug_names)
        if " " in name and rng.random() < 0.6:
            name = name.split(" ")[0]
        return _case(name, rng)

    def strength(self, rng: np.random.Generator) -> str:
        """A number with a unit, glued or apart."""
        number = _pick(rng, STRENGTHS) if rng.random() < 0.8 else str(rng.integers(1, 1000))
        if number.endswith("g") or rng.random() < 0.08:
            return number
        return number + (" " if rng.random() < 0.5 else "") + _pick(rng, UNITS)

    def sig(self, rng: np.random.Generator) -> str:
        """Directions as written."""
        parts = []
        if rng.random() < 0.3:
            parts.append(
                _pick(rng, ("Take", "take", "Sig:", "T", "Apply", "Give", "Use", "Inhale"))
            )
        if rng.random() < 0.85:
            parts.append(
                _pick(rng, ("1", "2", "one", "two", "i", "ii", "1/2", "1-2", "3", "5 mL", "10 ml"))
            )
            if rng.random() < 0.85:
                parts.append(_pick(rng, FORMS))
        if rng.random() < 0.7:
            parts.append(_pick(rng, ROUTES))
        parts.append(_pick(rng, FREQUENCIES))
        if rng.random() < 0.25:
            parts.append(_pick(rng, PRN))
        if rng.random() < 0.45:
            days = rng.integers(1, 31)
            parts.append(
                _pick(
                    rng,
                    (
                        f"x {days} days",
                        f"x{days}d",
                        f"for {days} days",
                        f"x {days}/7",
                        f"x {days} d",
                    ),
                )
            )
        return " ".join(parts)

    def quantity(self, rng: np.random.Generator) -> str:
        """What to dispense, or refills."""
        n = int(rng.choice([5, 7, 10, 14, 15, 20, 21, 28, 30, 40, 42, 45, 60, 90, 100, 120]))
        return _pick(
            rng,
            (
                f"#{n}",
                f"#{n}",
                f"Disp: #{n}",
                f"Disp {n}",
                f"{n} tabs",
                f"Qty {n}",
                f"#{n} ({n})",
                f"Refill {rng.integers(0, 12)}",
                f"RF x {rng.integers(0, 6)}",
                "NR",
                f"{n} mL",
                "thirty (30)",
            ),
        )

    def date(self, rng: np.random.Generator) -> str:
        """A date in one of many orders."""
        day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1930, 2031)
        sep = _pick(rng, SEPARATORS)
        short = f"{year % 100:02d}"
        return _pick(
            rng,
            (
                f"{month}{sep}{day}{sep}{short}",
                f"{month:02d}{sep}{day:02d}{sep}{year}",
                f"{day}{sep}{month}{sep}{short}",
                f"{day:02d}{sep}{month:02d}{sep}{year}",
                f"{day} {MONTHS[month - 1]} {year}",
                f"{MONTHS[month - 1]} {day}, {year}",
                f"{year}-{month:02d}-{day:02d}",
            ),
        )

    def number(self, rng: np.random.Generator) -> str:
        """Digits as in identifiers and quantities."""
        length = int(rng.choice([1, 2, 3, 4, 5, 7, 10], p=[0.15, 0.2, 0.2, 0.15, 0.1, 0.1, 0.1]))
        text = "".join(str(d) for d in rng.integers(0, 10, length))
        if length == 7:
            text = "".join(chr(65 + c) for c in rng.integers(0, 26, 2)) + text  # like a DEA number
        return text

    def pseudo_word(self, rng: np.random.Generator) -> str:
        """A pronounceable word that does not exist."""
        text = ""
        for i in range(rng.integers(2, 5)):
            text += _pick(rng, _CONSONANTS) + _pick(rng, _VOWELS)
            if rng.random() < 0.35 or (i == 0 and rng.random() < 0.1):
                text += _pick(rng, _CONSONANTS)
        return _case(text, rng)

    def random_string(self, rng: np.random.Generator) -> str:
        """Characters without any sense."""
        pool = _pick(
            rng, (_LETTERS, _LETTERS.upper(), "0123456789", _LETTERS + "0123456789.,-/%#()+:'&")
        )
        return "".join(_pick(rng, pool) for _ in range(rng.integers(1, 9)))


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _case(text: str, rng: np.random.Generator) -> str:
    """Lower, Capitalised or CAPITALS."""
    roll = rng.random()
    if roll < 0.55:
        return text[:1].upper() + text[1:].lower()
    return text.upper() if roll < 0.75 else text.lower()
