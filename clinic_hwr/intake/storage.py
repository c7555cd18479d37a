"""The file store: immutable blobs named by their SHA-256, in two levels of folders."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK_BYTES = 1 << 20
_READ_ONLY = 0o440


class BlobMissing(FileNotFoundError):
    """No blob of that name is in the store."""


class BlobDamaged(OSError):
    """The stored bytes no longer hash to their name: restore the file from a backup."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What was written: the SHA-256 in hex and the length in bytes."""

    sha256: str
    size_bytes: int


def blob_path(sha256: str) -> Path:
    """Return where the blob of that name lives, whether it exists or not.

    Raises:
        ValueError: ``sha256`` is not 64 lower-case hex digits (so it can never leave the store).
    """
    if not _SHA256.fullmatch(sha256):
        raise ValueError("A blob name is 64 lower-case hex digits.")
    return Path(settings.BLOB_DIR) / sha256[:2] / sha256[2:4] / sha256


def blob_exists(sha256: str) -> bool:
    """Return whether the blob is in the store."""
    return blob_path(sha256).is_file()


def blob_write(data: bytes) -> str:
    """Store ``data`` durably and return its SHA-256; storing the same bytes again is free."""
    sha256 = hashlib.sha256(data).hexdigest()
    return sha256 if blob_exists(sha256) else blob_write_stream(io.BytesIO(data)).sha256


def blob_write_stream(source: IO[bytes]) -> StoredBlob:
    """Store what ``source`` holds from its present position on, a chunk at a time."""
    digest = hashlib.sha256()
    size = 0
    handle, temporary = _open_temporary()
    try:
        with handle:
            while chunk := source.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                handle.write(chunk)
            sha256 = digest.hexdigest()
            if not blob_exists(sha256):
                _keep(handle, temporary, sha256)
    finally:
        temporary.unlink(missing_ok=True)
    return StoredBlob(sha256, size)


def blob_read(sha256: str, *, verify: bool = True) -> bytes:
    """Return the bytes of a blob.

    Raises:
        BlobMissing: it is not in the store.
        BlobDamaged: ``verify`` is on and the bytes do not hash to the name.
    """
    try:
        data = blob_path(sha256).read_bytes()
    except FileNotFoundError as error:
        raise BlobMissing(f"Blob {sha256} is not in the store.") from error
    if verify and hashlib.sha256(data).hexdigest() != sha256:
        raise BlobDamaged(f"Blob {sha256} is damaged on disk; restore it from a backup.")
    return data


def _open_temporary() -> tuple[IO[bytes], Path]:
    """Open a new file on the store's own file system, so that the rename is atomic."""
    folder = Path(settings.BLOB_DIR) / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=".part")
    return os.fdopen(descriptor, "wb"), Path(name)


def _keep(handle: IO[bytes], temporary: Path, sha256: str) -> None:
    """Flush the file to the disk, give it its name, and flush the folder that now lists it."""
    handle.flush()
    # For nobody to write to, this process included: a blob never changes.
    os.fchmod(handle.fileno(), _READ_ONLY)
    os.fsync(handle.fileno())
    final = blob_path(sha256)
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        # A link, unlike a rename, cannot take the place of a blob that is there.
        os.link(temporary, final)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        temporary.replace(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def blob_names() -> Iterator[str]:
    """Yield the name of every blob in the store, in order."""
    for path in sorted(Path(settings.BLOB_DIR).glob("??/??/*")):
        if _SHA256.fullmatch(path.name):
            yield path.name


def blob_is_writable(sha256: str) -> bool:
    """Return whether the file of a blob may be written to by anybody."""
    return bool(blob_path(sha256).stat().st_mode & 0o222)


def strangers() -> list[Path]:
    """Return the files in the store that are no blob, but for uploads of the last day."""
    found = []
    yesterday = time.time() - 86_400
    for path in sorted(Path(settings.BLOB_DIR).rglob("*")):
        if path.is_dir() or (_SHA256.fullmatch(path.name) and path == blob_path(path.name)):
            continue
        waiting = path.parent.name == "incoming" and path.suffix == ".part"
        if not waiting or path.stat().st_mtime < yesterday:
            found.append(path)
    return found
