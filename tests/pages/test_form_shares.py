"""Writing that does not keep to its box still belongs to it."""

from __future__ import annotations

from clinic_hwr.pages.form_shares import share_strokes
from clinic_hwr.pages.pen_strokes import Stroke
from clinic_hwr.pages.types import Box

UPPER, LOWER = Box(100, 100, 300, 60), Box(100, 150, 200, 60)  # drawn over each other's edge


def word(x: int, y: int, width: int = 40, height: int = 24) -> Stroke:
    return Stroke(Box(x, y, width, height), width * height // 3)


def shared(*lines: tuple[Stroke, ...], seen: bool = True) -> dict[int, list[Stroke]]:
    strokes = [stroke for line in lines for stroke in line]
    return share_strokes(
        strokes, [UPPER, LOWER], 18.0, lines=lines, seen=strokes if seen else (),
        written={0, 1}, letter_px=20.0,
    )  # fmt: skip


def test_one_line_is_not_shared_by_two_boxes_above_each_other() -> None:
    low = (word(110, 165), word(160, 165), word(310, 142))  # the last is in the upper box alone

    assert shared(low) == {1: list(low)}


def test_without_a_segmenter_every_stroke_stands_for_itself() -> None:
    low = (word(110, 165), word(160, 165), word(310, 142))

    assert shared(low, seen=False) == {0: [low[2]], 1: list(low[:2])}


def test_writing_that_leaves_its_box_goes_with_it() -> None:
    line = (word(330, 110, 60), word(410, 112), word(462, 110))

    assert shared(line) == {0: list(line)}


def test_writing_far_beside_a_box_is_not_in_it() -> None:
    near, far = word(330, 110, 60), word(500, 110)

    assert shared((near,), (far,)) == {0: [near]}
