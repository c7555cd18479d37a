"""How often the drug lexicon undoes one and two recognizer errors, over every name it holds.

    python benchmarks/drug_match.py [--names N] [--seed S]

Errors are simulated, not real: substitution (letters that look alike are drawn four times as
often), deletion or insertion at a random place of the name. A match counts when it is the same
entry as the true name. Names under six letters and combinations are counted apart.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.prescriptions.lexicon import load_lexicon

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


def main() -> int:
    """Print top-1 and top-5 accuracy and the time of a match."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--names", type=int, default=0, help="sample size; 0 = all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    lexicon = load_lexicon()
    names = list(lexicon.names)
    if options.names:
        names = rng.sample(names, min(options.names, len(names)))
    groups = {
        "single, 6+ letters": [n for n in names if "/" not in n and len(n) >= 6],
        "single, under 6": [n for n in names if "/" not in n and len(n) < 6],
        "combinations": [n for n in names if "/" in n],
    }
    lexicon.match([("warm up", 1.0)])
    print(f"{'names':<22}{'errors':>7}{'n':>7}{'top-1':>8}{'top-5':>8}{'ms':>7}")
    for label, group in groups.items():
        for errors in (0, 1, 2):
            first = five = 0
            started = time.process_time()
            for name in group:
                wrong = name
                for _ in range(errors):
                    wrong = with_error(wrong, rng)
                truth = lexicon.find(name)
                found = [match.name for match in lexicon.match([(wrong, 1.0)])]
                if truth is not None and truth.name in found:
                    five += 1
                    first += found[0] == truth.name
            n = max(len(group), 1)
            ms = (time.process_time() - started) / n * 1000
            print(f"{label:<22}{errors:>7}{n:>7}{first / n:>8.3f}{five / n:>8.3f}{ms:>7.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
