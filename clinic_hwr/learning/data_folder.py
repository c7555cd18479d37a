"""Where training and evaluation data lie: a flag, or the setting CLINIC_HWR_DATA."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError


def data_folder(flag: Path | None) -> Path:
    """Return the data folder; raises ``CommandError`` that says how to name one."""
    folder = flag or (Path(settings.CLINIC_HWR_DATA) if settings.CLINIC_HWR_DATA else None)
    if folder is None:
        raise CommandError("Name the data folder with --data or the variable CLINIC_HWR_DATA.")
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder.")
    return folder
