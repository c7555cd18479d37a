"""Log lines name events and places; values of exceptions stay out of them."""

from __future__ import annotations

import io
import logging

from clinic_hwr.logs import IdsOnlyFormatter


def test_exception_is_logged_without_its_message() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(IdsOnlyFormatter())
    logger = logging.Logger("clinic_hwr.test")
    logger.addHandler(handler)

    def read_date(text: str) -> None:
        try:
            int(text)
        except ValueError as error:
            raise RuntimeError(f"no date in {text}") from error

    try:
        read_date("Jane Roe 1951")
    except RuntimeError:
        logger.exception("stage.failed scan=%s", "0b5e")

    text = stream.getvalue()
    assert "ERROR clinic_hwr.test stage.failed scan=0b5e" in text
    assert "builtins.RuntimeError" in text
    assert "builtins.ValueError" in text
    assert "in read_date" in text
    assert "Jane" not in text
