"""Uploads that wait in a file: a full disk is noticed and answered, not a server error."""

from __future__ import annotations

import errno
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.db import OperationalError
from django.http import HttpRequest

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DISK_FULL_STATE = "53100"  # PostgreSQL's SQLSTATE disk_full
_FLAG = "_clinic_hwr_disk_full"

NO_SPACE = (
    "The disk of this installation is full, so nothing of this upload was kept. Send it again once "
    "an administrator has made space."
)


class SpaceAwareUploadHandler(TemporaryFileUploadHandler):
    """As Django's own, but a disk that fills up ends the upload and leaves a mark on the request.

    The request is parsed wherever it is first looked into, for example by the CSRF check, where an
    exception could only become a server error.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Open the file that the upload waits in."""
        try:
            super().new_file(*args, **kwargs)
        except OSError as error:
            self._stop(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write what arrived."""
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self._stop(error)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        """Hand the file on; what was buffered is written here."""
        try:
            return super().file_complete(file_size)
        except OSError as error:
            self._stop(error)
            return None

    def _stop(self, error: OSError) -> None:
        if not is_no_space(error):
            raise error
        setattr(self.request, _FLAG, True)
        raise StopUpload(connection_reset=False) from error


def upload_found_disk_full(request: HttpRequest) -> bool:
    """Return whether the disk filled up while the files of a request arrived."""
    return bool(getattr(request, _FLAG, False))


def is_no_space(error: BaseException) -> bool:
    """Return whether an error says that disk or database has no space left."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    if isinstance(error, OperationalError):
        state = getattr(error.__cause__, "sqlstate", None)
        return state == _DISK_FULL_STATE or "disk is full" in str(error)
    return False
