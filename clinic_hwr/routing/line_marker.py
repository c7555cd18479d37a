"""Which segmenter of text lines this installation finds writing with, if any."""

from __future__ import annotations

import logging
from functools import cache

from django.conf import settings

from clinic_hwr.pages.types import LineSegmenter

logger = logging.getLogger(__name__)


def line_marker_load() -> LineSegmenter | None:
    """Return the segmenter of text lines; None when the site has it off, or not its weights.

    Lines are then told apart the classical way, and the log says so once a process.
    """
    if not getattr(settings, "CLINIC_HWR_LINE_SEGMENTER", True):
        return None
    from clinic_hwr.recognition.segmentation.finder import load_line_marker
    from clinic_hwr.recognition.segmentation.weights import SegmenterMissing

    try:
        return load_line_marker()
    except SegmenterMissing as error:
        _say_no_segmenter(str(error))
        return None


@cache
def _say_no_segmenter(reason: str) -> None:
    logger.warning("read.line_segmenter_missing reason=%s", reason)
