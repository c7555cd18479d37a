"""Loads the readers of boxed characters and of free text that a site has chosen."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from clinic_hwr.intake.claims import InstallationFault

if TYPE_CHECKING:
    from clinic_hwr.recognition.comb_reader import CombReader
    from clinic_hwr.recognition.paragraphs import BlockReader

logger = logging.getLogger(__name__)


def comb_reader_load() -> CombReader | None:
    """Return the reader of boxed characters; None when the site reads them as lines.

    Raises:
        InstallationFault: its weights are not installed, or it reads no characters.
    """
    from clinic_hwr.recognition.runtime import LOADING_ERRORS, load_comb_reader

    arch = getattr(settings, "CLINIC_HWR_COMB_ARCH", "capsnet")
    try:
        return load_comb_reader(arch) if arch else None
    except LOADING_ERRORS as error:
        raise InstallationFault(str(error.args[0])) from error


def block_reader_load() -> BlockReader | None:
    """Return the reader of free text; None when the site has none, or not its weights.

    Raises:
        InstallationFault: the setting names no reader of blocks.
    """
    from clinic_hwr.recognition.runtime import LOADING_ERRORS, WeightsNotFound, load_block_reader

    arch = getattr(settings, "CLINIC_HWR_BLOCK_ARCH", "")
    try:
        return load_block_reader(arch) if arch else None
    except WeightsNotFound:
        _say_missing(arch)
        return None
    except LOADING_ERRORS as error:
        raise InstallationFault(str(error.args[0])) from error


@cache
def _say_missing(arch: str) -> None:
    """Log once a process that blocks are read by lines because weights are missing."""
    logger.warning("read.block_weights_missing arch=%s", arch)
