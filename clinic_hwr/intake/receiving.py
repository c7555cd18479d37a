"""Receiving the files of one request, one after the other, whichever interface they came by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from clinic_hwr.accounts.models import Site

from .batches import parse_rule
from .models import Scan
from .services import scan_receive_file
from .uploads import is_no_space


class DiskFull(RuntimeError):
    """There was no space left for a file; ``received`` are the scans of those before it."""

    def __init__(self, received: list[Scan]) -> None:
        super().__init__("no space left")
        self.received = received


def receive_all(
    site: Site, files: Iterable[UploadedFile], user: Any, *, source: str, split_rule: str = ""
) -> list[Scan]:
    """Receive uploaded files as ``scan_receive_file`` does, in order.

    Raises:
        BadRule: there is no such rule; nothing was received.
        DiskFull: the store or the database has no space; what came before is kept.
        PermissionDenied: ``user`` may not upload at ``site``.
    """
    parse_rule(split_rule)
    scans: list[Scan] = []
    for file in files:
        try:
            scan = scan_receive_file(
                site=site,
                file=file.file,
                original_name=file.name or "",
                source=source,
                user=user,
                split_rule=split_rule,
            )
        except Exception as error:
            if is_no_space(error):
                raise DiskFull(scans) from error
            raise
        scans.append(scan)
    return scans
