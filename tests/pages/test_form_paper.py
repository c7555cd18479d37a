"""Dots of a shadow and what lies beside the sheet are no writing."""

from __future__ import annotations

import numpy as np

from clinic_hwr.pages.form_ink import marked_strokes
from clinic_hwr.pages.form_paper import is_off_paper, within, without_clouds
from clinic_hwr.pages.line_cores import line_cores
from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.types import Box, LineMaps

UNIT = 20.0


def dots(x: int, y: int) -> list[Stroke]:
    return [Stroke(Box(x + 9 * i, y + 9 * k, 4, 4), 12) for i in range(4) for k in range(4)]


def test_a_crowd_of_dots_goes_and_faint_writing_stays() -> None:
    cloud, faint, dot = dots(100, 100), dots(400, 100), Stroke(Box(700, 90, 4, 4), 12)

    kept = without_clouds([*cloud, *faint, dot], set(faint), UNIT)

    assert kept == [*faint, dot]


def test_beside_the_sheet_is_off_it() -> None:
    sheet = np.array([[100, 100], [900, 110], [890, 1100], [95, 1090]], np.float64)

    assert is_off_paper(Stroke(Box(20, 500, 30, 30), 100), (1200, 1000), sheet)
    assert not is_off_paper(Stroke(Box(200, 500, 30, 30), 100), (1200, 1000), sheet)
    assert not is_off_paper(Stroke(Box(92, 500, 10, 30), 100), (1200, 1000), sheet)


def test_a_shadow_goes_and_a_signature_under_it_stays() -> None:
    ink = np.zeros((400, 600), np.uint8)
    ink[200:390:2, 40:560] = 255  # a dithered shadow: rows of it
    ink[200:390, 40:560:4] = 255
    ink[60:84, 100:300:3] = 255  # a written word
    ink[70, 100:300] = 255
    gray = np.where(ink > 0, 20, 255).astype(np.uint8)
    hand = np.zeros((200, 300), np.float32)
    hand[30:42, 50:150] = 0.9
    maps = LineMaps(hand, np.zeros_like(hand), 0.5)

    _, alone = marked_strokes(gray, ink, [], UNIT, maps, line_cores(maps))
    _, signed = marked_strokes(gray, ink, [Box(80, 300, 200, 60)], UNIT, maps, line_cores(maps))

    word = Box(100, 60, 200, 24)
    assert [one.box_px for one in alone] == [word]
    assert [one.box_px for one in signed] == [word, Box(60, 280, 240, 100)]


def test_a_mark_ends_near_its_region_where_a_stamp_hangs_on_it() -> None:
    region = Box(200, 500, 300, 60)
    signed = Box(190, 510, 340, 55)  # out of it by less than a letter, and to the right by more

    assert within(signed, region, UNIT) == Box(190, 510, 320, 55)
    assert within(Box(210, 300, 250, 255), region, UNIT) == Box(210, 490, 250, 65)
