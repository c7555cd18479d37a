"""Rules below the headings of a table that part its rows."""

from __future__ import annotations

from .survey import PageSurvey
from .types import Box

_SHARE = 0.3  # of the headings' width: what a rule between rows reaches at least
_LEAVES = 1.8  # first steps: a step so much wider leaves the table
_OFF = 0.2  # of a step: so near to two of them is one whose rule a stroke hides


def row_borders(survey: PageSurvey, heading: Box) -> tuple[int, ...]:
    """Return y of the rules below a row of headings that run under most of it, at even-ish steps.

    One that is hidden, by a stroke through the writing at it or by a fold, is where it should be.

    Args:
        survey: of the page.
        heading: box of the headings.
    """
    spans: list[tuple[int, int, int]] = []  # y, how wide the widest rule there is, and all of them
    for rule in survey.rules.horizontal:
        y = rule.y + rule.height // 2
        reach = min(rule.x + rule.width, heading.x + heading.width) - max(rule.x, heading.x)
        if y <= heading.y + heading.height // 2 or reach <= 0:
            continue
        if spans and y - spans[-1][0] <= survey.unit_px:
            at, widest, sum_ = spans[-1]  # a stroke beside a rule is no border
            spans[-1] = (y if reach > widest else at, max(reach, widest), sum_ + reach)
        else:
            spans.append((y, reach, reach))
    # A bar of a letter is straight, too.
    end = _end_of_sides(survey, heading)
    ys = [y for y, _, reach in spans if reach > _SHARE * heading.width and y <= end]
    kept = ys[:2]
    for place, y in enumerate(ys[2:], start=2):
        first, step = kept[1] - kept[0], y - kept[-1]
        if step > _LEAVES * first:
            behind = ys[place + 1] - y if place + 1 < len(ys) else 0
            goes_on = abs(behind - first) <= _OFF * first
            if not goes_on or abs(step - 2 * first) > _OFF * first:
                break
            kept.append(kept[-1] + step // 2)
        kept.append(y)
    return tuple(kept)


def _end_of_sides(survey: PageSurvey, heading: Box) -> float:
    """y where the upright rules end that run through a row of headings; without any no end."""
    sides = [
        rule.y + rule.height
        for rule in survey.rules.vertical
        if rule.y < heading.y + heading.height < rule.y + rule.height
        and heading.x - survey.unit_px < rule.x < heading.x + heading.width + survey.unit_px
    ]
    return max(sides) + survey.unit_px if len(sides) > 1 else float("inf")
