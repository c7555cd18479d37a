"""Rules that a fax left in pieces are rules; pieces of anything else are not."""

from __future__ import annotations

import cv2
import numpy as np

from clinic_hwr.pages.broken_rules import with_broken_rules
from clinic_hwr.pages.rules import DarkParts, FormRules, rules_of, shortest_rule
from clinic_hwr.pages.types import Gray

SIZE = (1100, 1700)


def _found(page: Gray) -> FormRules:
    parts, length = DarkParts.of(page), shortest_rule(page)
    return with_broken_rules(parts, rules_of(parts, length), length)


def _dash(page: Gray, y: float, left: int, right: int, *, on: int = 24, off: int = 16) -> None:
    for x in range(left, right, on + off):
        cv2.line(page, (x, round(y)), (min(x + on, right), round(y)), 0, 2)


def test_dashes_in_one_line_are_one_rule_and_a_slope_is_followed() -> None:
    page = np.full(SIZE, 255, np.uint8)
    _dash(page, 300, 200, 1500)
    for x in range(200, 1500, 40):  # a tenth of a percent more than a step each
        cv2.line(page, (x, 500 + x // 160), (x + 24, 500 + x // 160), 0, 2)

    rules = _found(page)

    assert [round(one.width, -2) for one in rules.horizontal] == [1300, 1300]
    assert np.count_nonzero((rules.mask == 0) & (page < 128)) < 0.02 * np.count_nonzero(page < 128)


def test_upright_dashes_are_found_where_level_rules_cross_them() -> None:
    page = np.full(SIZE, 255, np.uint8)
    for y in range(300, 701, 100):
        cv2.line(page, (200, y), (1500, y), 0, 2)
    for y in range(290, 700, 30):
        cv2.line(page, (850, y), (850, y + 18), 0, 2)

    rules = _found(page)

    assert len(rules.horizontal) == 5
    assert [one.height > 350 and abs(one.x - 850) < 4 for one in rules.vertical] == [True]


def test_blanks_beside_a_label_stay_two() -> None:
    page = np.full(SIZE, 255, np.uint8)
    _dash(page, 300, 200, 700)
    cv2.putText(page, "DOB", (725, 300), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2)
    _dash(page, 300, 800, 1500)

    rules = _found(page)

    assert len(rules.horizontal) == 2
    assert rules.horizontal[0].x + rules.horizontal[0].width < 720 < 780 < rules.horizontal[1].x


def test_bars_of_letters_and_a_few_dashes_are_no_rule() -> None:
    page = np.full(SIZE, 255, np.uint8)
    for x, y in ((200, 300), (330, 303), (480, 296), (650, 304), (790, 298), (930, 302)):
        cv2.line(page, (x, y), (x + 26, y - 2), 0, 3)  # of t, in a hand
        cv2.line(page, (x + 12, y - 20), (x + 8, y + 30), 0, 3)
    _dash(page, 500, 200, 300, on=18, off=24)
    for x in (200, 320, 440):  # short blanks, each a rule by itself
        cv2.line(page, (x, 700), (x + 100, 700), 0, 2)

    rules = _found(page)

    assert [round(one.y, -2) for one in rules.horizontal] == [700, 700, 700]
    assert not rules.vertical and not rules.mask[:650].any()


def test_the_feet_of_a_printed_word_are_no_rule_on_narrow_paper() -> None:
    page = np.full((1650, 800), 255, np.uint8)
    for x in range(200, 248, 12):  # stems, and feet that nearly touch
        page[300:316, x + 3 : x + 7] = 30
        page[314:317, x : x + 10] = 30
    page[400:403, 200:300] = 30
    (rule,) = rules_of(DarkParts.of(page), shortest_rule(page)).horizontal
    assert 398 <= rule.y <= 402 and rule.width >= 98


def test_the_shortest_rule_of_a_sheet_is_told_by_its_narrow_side_unless_it_is_a_slip() -> None:
    sizes = {(2200, 1700): 94, (1700, 2200): 94, (2200, 1556): 86, (1650, 800): 55, (200, 300): 24}
    assert {size: shortest_rule(np.empty(size, np.uint8)) for size in sizes} == sizes
