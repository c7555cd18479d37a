"""The ink an event is about, from the same content-addressed folder as every other image."""

from __future__ import annotations

from clinic_hwr.intake.storage import BlobDamaged, BlobMissing, blob_read


def crop_read(sha256: str) -> bytes | None:
    """Return the PNG bytes, or None when they are gone or damaged (the event itself stays)."""
    try:
        return blob_read(sha256)
    except (BlobMissing, BlobDamaged, ValueError):
        return None
