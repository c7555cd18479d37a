"""How often the drug lexicon undoes one and two recognizer errors, over every name it holds.

    python benchmarks/drug_match.py [--names N] [--seed S] [--data FOLDER --read N]

Errors are simulated, not real: substitution (letters that look alike are drawn four times as
often), deletion or insertion at a random place of the name. A match counts when it is the same
entry as the true name, and the time is that of the whole question, with its checks. Names under
six letters and combinations are counted apart.

With --read, names are also written with characters of writers of the UNIPEN val file (synthetic
words of real letters, degraded as a scan), read by the shipped reader, and its n-best readings
matched: with the ink-aware distance and with plain edits.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.prescriptions import ink
from clinic_hwr.prescriptions.lexicon import load_lexicon
from clinic_hwr.prescriptions.questions import drug_question
from clinic_hwr.recognition.metrics import wilson_interval

ALIKE = ["aou", "ec", "il1t", "nurm", "gqy", "hbk", "vwu", "sz5", "fpt", "dcl"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def with_error(name: str, rng: random.Random) -> str:
    """Return the name with one simulated recognizer error."""
    at = rng.randrange(len(name))
    kind = rng.random()
    if kind < 0.7:
        groups = [g for g in ALIKE if name[at].lower() in g]
        pool = "".join(groups) * 4 + LETTERS if groups else LETTERS
        letter = rng.choice([c for c in pool if c != name[at].lower()])
        return name[:at] + letter + name[at + 1 :]
    if kind < 0.85 and len(name) > 2:
        return name[:at] + name[at + 1 :]
    return name[:at] + rng.choice(LETTERS) + name[at:]


def simulated(names: list[str], errors: int, rng: random.Random) -> tuple[int, int, list[float]]:
    """Return (top-1, top-5, milliseconds of each match) of names with simulated errors."""
    lexicon = load_lexicon()
    first = five = 0
    spent = []
    for name in names:
        wrong = name
        for _ in range(errors):
            wrong = with_error(wrong, rng)
        truth = lexicon.find(name)
        started = time.process_time()
        found = [match.name for match in drug_question(wrong).candidates]
        spent.append((time.process_time() - started) * 1000)
        if truth is not None and truth.name in found:
            five += 1
            first += found[0] == truth.name
    return first, five, spent


def read_names(data: Path, count: int, seed: int) -> list[tuple[str, list[tuple[str, float]]]]:
    """Return (name, n-best readings) of drug names written with held-out characters."""
    import numpy as np

    from clinic_hwr.recognition.runtime import load_reader
    from clinic_hwr.recognition.synthesis.degradation import degrade_ink
    from clinic_hwr.recognition.synthesis.hands import CannotWrite, stroke_hands
    from clinic_hwr.recognition.synthesis.strokes import load_strokes

    hands = stroke_hands(load_strokes(data / "online" / "unipen_chars_val.npz"), minimum=20)
    names = [n for n in load_lexicon().names if n.isascii() and n.isalpha() and len(n) > 4]
    rng = np.random.default_rng(seed)
    reader = load_reader(None)
    found: list[tuple[str, list[tuple[str, float]]]] = []
    while len(found) < count:
        name = names[int(rng.integers(len(names)))]
        hand = hands[int(rng.integers(len(hands)))]
        try:
            tile = hand.write(name, rng, float(rng.uniform(14, 26)))
        except CannotWrite:
            continue
        (reading,) = reader.read([degrade_ink(tile.alpha, rng, 0.6)], kinds=["word"])
        found.append((name, [(a.text, a.confidence) for a in reading.alternatives]))
    return found


def report_read(data: Path, count: int, seed: int) -> None:
    """Print how many read names are found, with the ink-aware distance and without."""
    lexicon = load_lexicon()
    readings = read_names(data, count, seed)
    wrong = [(n, alts) for n, alts in readings if not alts or alts[0][0].lower() != n.lower()]
    print(f"read: {count} names, {len(wrong)} with an error in the first reading (synthetic)")
    for label in ("ink-aware", "plain edits"):
        if label == "plain edits":
            ink.confusion_costs = dict  # type: ignore[assignment]
        first = five = 0
        for name, alternatives in wrong:
            truth = lexicon.find(name)
            found = [match.name for match in lexicon.match(alternatives)] if alternatives else []
            if truth is not None and truth.name in found:
                five += 1
                first += found[0] == truth.name
        low, high = wilson_interval(first, len(wrong))
        n = max(1, len(wrong))
        print(
            f"  {label:<12} top-1 {first / n:.1%} ({low:.1%} to {high:.1%}), top-5 {five / n:.1%}"
        )


def main() -> int:
    """Print top-1 and top-5 accuracy and the time of a match."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--names", type=int, default=0, help="sample size; 0 = all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="data folder, for --read")
    parser.add_argument("--read", type=int, default=0, help="names to write and read")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    names = list(load_lexicon().names)
    if options.names:
        names = rng.sample(names, min(options.names, len(names)))
    groups = {
        "single, 6+ letters": [n for n in names if "/" not in n and len(n) >= 6],
        "single, under 6": [n for n in names if "/" not in n and len(n) < 6],
        "combinations": [n for n in names if "/" in n],
        "all": names,
    }
    # The first question of a process builds tables and grammar; the time is that of the others.
    drug_question("warm up 10 mg tab 1 daily")
    print(
        f"{'names':<22}{'errors':>7}{'n':>7}{'top-1':>8}{'top-5':>8}{'mean ms':>9}{'p99 ms':>8}"
        f"{'max ms':>8}{'>10 ms':>8}"
    )
    for label, group in groups.items():
        for errors in (0, 1, 2):
            first, five, spent = simulated(group, errors, rng)
            n = max(len(group), 1)
            p99 = sorted(spent)[int(0.99 * len(spent))] if spent else 0.0
            print(
                f"{label:<22}{errors:>7}{n:>7}{first / n:>8.3f}{five / n:>8.3f}"
                f"{sum(spent) / n:>9.1f}{p99:>8.1f}"
                f"{max(spent, default=0.0):>8.1f}{sum(t > 10 for t in spent):>8}"
            )
    if options.read:
        report_read(options.data, options.read, options.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
