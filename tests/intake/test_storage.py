"""The file store: named by content, complete or absent, never outside of its folder."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from clinic_hwr.intake.storage import (
    BlobDamaged,
    BlobMissing,
    blob_exists,
    blob_path,
    blob_read,
    blob_write,
    blob_write_stream,
)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_blob_is_found_under_its_sha256_in_two_levels(data_dir: Path) -> None:
    sha256 = blob_write(b"ink")

    assert sha256 == hashlib.sha256(b"ink").hexdigest()
    assert blob_path(sha256) == data_dir / "blobs" / sha256[:2] / sha256[2:4] / sha256
    assert blob_read(sha256) == b"ink"


def test_same_bytes_are_stored_once_and_leave_no_temporary_file(data_dir: Path) -> None:
    first = blob_write(b"ink")
    again = blob_write_stream(io.BytesIO(b"ink"))

    assert (again.sha256, again.size_bytes) == (first, 3)
    assert files_below(data_dir / "blobs") == [blob_path(first)]


def test_write_that_fails_half_way_leaves_nothing(data_dir: Path) -> None:
    class CutOff(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise OSError("the network share is gone")
            return super().read(3)

    with pytest.raises(OSError, match="share is gone"):
        blob_write_stream(CutOff(b"inkink"))

    assert files_below(data_dir / "blobs") == []


def test_damaged_blob_is_noticed_unless_verification_is_off() -> None:
    sha256 = blob_write(b"ink")
    blob_path(sha256).chmod(0o600)
    blob_path(sha256).write_bytes(b"inc")

    with pytest.raises(BlobDamaged):
        blob_read(sha256)
    assert blob_read(sha256, verify=False) == b"inc"


def test_missing_blob_has_its_own_error() -> None:
    assert not blob_exists("0" * 64)
    with pytest.raises(BlobMissing):
        blob_read("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 63, "G" * 64, "A" * 64])
def test_name_that_is_no_sha256_never_becomes_a_path(name: str) -> None:
    with pytest.raises(ValueError, match="64 lower-case hex digits"):
        blob_path(name)
