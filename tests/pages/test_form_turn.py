"""A known form says which way up its page lies, also where the letters are wrong."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from clinic_hwr.pages import make_upright, upright
from clinic_hwr.pages.form_match import FormSheet
from clinic_hwr.pages.form_template import regions_from_json
from clinic_hwr.pages.form_turn import upright_on_form
from clinic_hwr.pages.registration import FormPrint
from clinic_hwr.pages.types import Box, PageProblem
from clinic_hwr.recognition.synthesis.pages import content_for, draw_page
from tests.forms.drawn import REGIONS, blank_form, filled_form
from tests.pages.scribble import ScribbleHand

pytestmark = pytest.mark.thorough

SHEET = FormSheet("riverside", 1, FormPrint.of(blank_form()), regions_from_json(REGIONS))


def voting(turns: int, *, sure: bool) -> object:
    return mock.patch.object(upright, "_quarter_turns", lambda page, ink, needed: (turns, sure))


@pytest.mark.parametrize(("came", "voted"), [(2, 0), (0, 2), (1, 0), (0, 3)])
def test_a_wrong_vote_is_put_right_by_the_form(came: int, voted: int) -> None:
    form = filled_form()
    gray = np.ascontiguousarray(np.rot90(form, -came))
    with voting(voted, sure=True):
        wrong = make_upright(gray)

    page = upright_on_form(gray, wrong, [SHEET])

    assert (wrong.rotation_deg, page.rotation_deg) == (90 * voted, 90 * came)
    # The way back leads to where the ink of the upright page was on the raster.
    height, width = page.gray.shape
    corner = page.transform.quad_on_original(Box(0, 0, width, height))[0]
    left_top = [(0, 0), (gray.shape[1], 0), (gray.shape[1], gray.shape[0]), (0, gray.shape[0])]
    assert np.abs(corner - left_top[came]).max() < 0.03 * max(gray.shape)


def test_a_form_that_fits_proves_an_unsure_vote() -> None:
    gray = filled_form()
    with voting(0, sure=False):
        unsure = make_upright(gray)
    assert unsure.problems == (PageProblem.ORIENTATION_UNSURE,)

    assert upright_on_form(gray, unsure, [SHEET]).problems == ()


def test_a_page_of_no_form_stays_as_the_letters_say() -> None:
    content = content_for("us_pad", np.random.default_rng(3))
    gray = draw_page("us_pad", content, ScribbleHand(), seed=3, dpi=150).gray
    with voting(2, sure=False):
        unsure = make_upright(gray)

    assert upright_on_form(gray, unsure, [SHEET]) is unsure
    assert upright_on_form(gray, unsure, []) is unsure
