"""What could not be done for a page, in words: one text for every screen and every answer."""

from __future__ import annotations

from .types import PageProblem

PAGE_PROBLEM_WORDS: dict[str, str] = {
    PageProblem.BLANK: "Nothing was found on the page, or nothing but black.",
    PageProblem.TOO_SMALL: "The picture is too small to read anything in it.",
    PageProblem.ORIENTATION_UNSURE: "The page may be upside down or on its side: the letters did "
    "not say which way up it is. What was read on it may be wrong.",
    PageProblem.SHEET_UNSURE: "The edge of the sheet could not be told from a shadow: the page was "
    "not cut out, and what lies beside it may have been read as well.",
    PageProblem.ROWS_UNEVEN: "The sheet is bent in a way that could not be undone: lines may have "
    "been cut or joined wrongly.",
    PageProblem.BLACKENED: "A part of the fax arrived black: what is written there cannot be seen. "
    "Ask for the page again.",
    PageProblem.FOLD_REMOVED: "A thick line right over the fax was taken for the fold of the paper "
    "and left out. If somebody drew it, the page is crossed out.",
}


def page_problem_words(code: str) -> str:
    """Return a problem in words; a code of another version stands for itself."""
    return PAGE_PROBLEM_WORDS.get(code, f"Something was not done for this page ({code}).")
