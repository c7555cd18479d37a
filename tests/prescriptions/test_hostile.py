"""5,000 random and hostile strings: every one is answered, none takes long."""

from __future__ import annotations

import gc
import random
import string
import time

import pytest

from clinic_hwr.prescriptions.questions import drug_question, sig_question
from clinic_hwr.prescriptions.sig.vocabulary import FRENCH_PHRASES

PHRASES = [" ".join(phrase) for phrase in FRENCH_PHRASES]
PIECES = ["(", "1 ", "1-", "½", "1/", "١", "e\u0301", "\x00", "1 tab ", "and ", "prn pain ",
          "1,000,", "9", "/", "a.", "\u202e", "\ud83d", "'; drop table", "{{", "%s"]  # fmt: skip


def hostile(rng: random.Random) -> str:
    """One string: noise, words of directions in any order, or one piece many times."""
    kind = rng.randrange(6)
    if kind == 0:
        return "".join(chr(rng.randrange(0x11000)) for _ in range(rng.randrange(200)))
    if kind == 1:
        return " ".join(rng.choice(PHRASES) for _ in range(rng.randrange(60)))
    if kind == 2:
        return "".join(rng.choice("0123456789-/.½ xX()") for _ in range(rng.randrange(300)))
    if kind == 3:
        return rng.choice(PIECES) * rng.randrange(1, 3000)
    if kind == 4:
        return "".join(rng.choice(string.printable) for _ in range(rng.randrange(800)))
    return rng.choice(PHRASES) + str(rng.random() * 10 ** rng.randrange(-20, 20))


@pytest.mark.slow
def test_five_thousand_hostile_strings() -> None:
    rng = random.Random(20261126)
    sig_question("1 tab bid")
    drug_question("aspirin")
    gc.collect()
    gc.freeze()  # as the command does: the lexicon is no garbage
    slow = []
    for _ in range(5000):
        text = hostile(rng)
        for country in (None, "FR"):
            started = time.process_time()
            sig = sig_question(text, country=country)
            slow.append((time.process_time() - started, text[:40]))
            assert sig.text == text
        started = time.process_time()
        drug_question(text)
        slow.append((time.process_time() - started, text[:40]))

    gc.unfreeze()
    assert max(slow)[0] < 0.05, sorted(slow)[-5:]
