"""Ranking names by the probability of the whole name, in any case."""

import numpy as np

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.decoding.lexicon import Lexicon, fold_case

CHARSET = Charset("abcdeABCDE")


def _log_probs(text: str, p: float = 0.9) -> np.ndarray:
    """Frames that spell a text with blanks between."""
    rows = []
    for char in text:
        for wanted in (CHARSET.encode(char)[0], 0):
            row = np.full(CHARSET.size, (1 - p) / (CHARSET.size - 1))
            row[wanted] = p
            rows.append(row)
    return np.log(np.array(rows))


def test_the_name_that_was_written_comes_first():
    lexicon = Lexicon(("Abba", "Cab", "Bead"))
    ranked = lexicon.rank(_log_probs("cab"), ["cab"], CHARSET, 3)
    assert ranked[0][0] == "Cab"
    assert ranked[0][1] > ranked[1][1]


def test_upper_and_lower_case_count_as_one():
    lexicon = Lexicon(("cab",))
    low = lexicon.rank(_log_probs("cab"), ["cab"], CHARSET, 1)[0][1]
    up = lexicon.rank(_log_probs("CAB"), ["CAB"], CHARSET, 1)[0][1]
    assert abs(low - up) < 1e-9


def test_folding_adds_both_cases():
    folded = fold_case(_log_probs("A"), CHARSET)
    a, big_a = CHARSET.encode("aA")
    assert np.isclose(np.exp(folded[0, a]), np.exp(_log_probs("A")[0, [a, big_a]]).sum())


def test_no_readings_no_names():
    assert Lexicon(("cab",)).rank(_log_probs("cab"), [], CHARSET, 5) == []
